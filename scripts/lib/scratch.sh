# shellcheck shell=bash
# A folder for one run, and the servers that the run started. Servers are known by a file with their
# process id in it, so that a step in a subshell can start one and the script can stop it at its end.

# Makes the folder and promises to stop every server and remove the folder when the script ends,
# however it ends. KEEP=true keeps the folder.
make_scratch() {
  SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/fairweather.XXXXXXXX")
  # Another user (PostgreSQL's) must be able to pass through to a folder of its own.
  chmod 711 "$SCRATCH"
  mkdir "$SCRATCH/servers" "$SCRATCH/logs"
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

clean_up() {
  trap - EXIT INT TERM HUP
  local file
  if [[ -n ${STEP_PID:-} ]]; then
    # A step is a process group of its own, which ends what it has in the foreground too.
    kill -TERM -- "-$STEP_PID" 2>/dev/null || true
  fi
  for file in "$SCRATCH"/servers/*; do
    [[ -e $file ]] && stop_server "${file##*/}"
  done
  if [[ ${KEEP:-false} == true ]]; then
    say "Kept: $SCRATCH"
  else
    rm -rf "$SCRATCH"
  fi
}

# start_server NAME SIGNAL COMMAND...: starts a server whose output goes to logs/NAME.log. SIGNAL is
# the one that makes it stop at once and in order. COMMAND must not fork into the background.
start_server() {
  local name=$1 signal=$2
  shift 2
  "$@" </dev/null >"$SCRATCH/logs/$name.log" 2>&1 &
  printf '%d %s\n' "$!" "$signal" >"$SCRATCH/servers/$name"
}

# Whether a process runs. One that ended counts as ended also while nobody has collected its exit
# code: in a container without an init process that may be for ever.
process_runs() {
  local state
  read -r state 2>/dev/null <"/proc/$1/stat" && [[ ${state##*) } != [ZX]* ]]
}

server_runs() {
  local pid
  read -r pid _ <"$SCRATCH/servers/$1" && process_runs "$pid"
}

# Asks a server to stop, waits ten seconds, then ends it.
stop_server() {
  local name=$1 pid signal attempt
  [[ -f $SCRATCH/servers/$name ]] || return 0
  read -r pid signal <"$SCRATCH/servers/$name"
  kill -s "$signal" "$pid" 2>/dev/null || true
  for ((attempt = 0; attempt < 100; attempt++)); do
    process_runs "$pid" || break
    sleep 0.1
  done
  if ((attempt == 100)); then
    complain "$name (process $pid) did not stop on SIG$signal and was killed"
    kill -KILL "$pid" 2>/dev/null || true
  fi
  rm -f "$SCRATCH/servers/$name"
}

# wait_for_line NAME PATTERN SECONDS: prints the first match of an extended regular expression in a
# server's log; fails with the end of that log when the server ends or stays silent.
wait_for_line() {
  local name=$1 pattern=$2 seconds=$3 log=$SCRATCH/logs/$1.log attempt
  for ((attempt = 0; attempt < seconds * 20; attempt++)); do
    grep -oE -m 1 -e "$pattern" "$log" 2>/dev/null && return
    server_runs "$name" || break
    sleep 0.05
  done
  # It may have printed the line and ended between the two looks.
  grep -oE -m 1 -e "$pattern" "$log" && return
  complain "$name did not print '$pattern'; the end of its log:"
  tail -n 40 "$log" >&2
  return 1
}
