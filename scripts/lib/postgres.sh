# shellcheck shell=bash
# A PostgreSQL of the run's own: scratch folder, free loopback port, no socket file, nothing kept.

# What stands before a command so that it runs as a user that PostgreSQL accepts. It refuses root, so
# root lends it the user that Debian's package made. Each word replaces the one before it in the same
# process, so the process id that is noted is PostgreSQL's own.
AS_POSTGRES=()
if ((EUID == 0)); then
  AS_POSTGRES=(env --chdir=/ setpriv --reuid=postgres --regid=postgres --init-groups)
fi

# Starts it and writes its address to $SCRATCH/postgres.url.
start_postgres() {
  local programs data=$SCRATCH/postgres attempt port
  programs=$(postgres_programs)
  mkdir "$data"
  if ((EUID == 0)); then
    chown postgres: "$data"
    "${AS_POSTGRES[@]}" test -w "$data" ||
      fail "The user postgres cannot enter $SCRATCH; set TMPDIR to a folder that everybody can enter."
  fi
  "${AS_POSTGRES[@]}" "$programs/initdb" --pgdata="$data" --username=postgres --auth=trust \
    --encoding=UTF8 --no-locale --no-sync >"$SCRATCH/logs/initdb.log" || {
    tail -n 20 "$SCRATCH/logs/initdb.log" >&2
    return 1
  }
  # PostgreSQL cannot pick a free port itself. The range lies below the one the system gives to
  # servers that ask for any port, so only another run of this script can be in the way.
  for ((attempt = 0; attempt < 10; attempt++)); do
    port=$((20000 + RANDOM % 12000))
    # Durability is switched off because the data dies with the run; 300 connections serve many
    # tests at once, each with a pool of its own. SIGINT stops it without waiting for clients.
    start_server postgres INT "${AS_POSTGRES[@]}" "$programs/postgres" -D "$data" -p "$port" \
      -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300 \
      -c fsync=off -c synchronous_commit=off -c full_page_writes=off
    if wait_for_line postgres 'ready to accept connections' 30 >/dev/null 2>"$SCRATCH/logs/postgres-start"; then
      echo "postgres://postgres@127.0.0.1:$port/postgres" >"$SCRATCH/postgres.url"
      say "PostgreSQL $("$programs/postgres" --version | grep -oE '[0-9.]+' | head -n 1) on 127.0.0.1:$port"
      return
    fi
    stop_server postgres
    grep -q 'Address already in use' "$SCRATCH/logs/postgres.log" || break
  done
  cat "$SCRATCH/logs/postgres-start" >&2
  return 1
}

# Prints the address of a new, empty database in it.
create_database() {
  local url
  url=$(<"$SCRATCH/postgres.url")
  "$(postgres_programs)/psql" --quiet --no-psqlrc "$url" -c "CREATE DATABASE $1"
  echo "${url%/*}/$1"
}
