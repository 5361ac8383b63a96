# shellcheck shell=bash
# A Redis of the run's own: scratch folder, free loopback port, nothing kept. Valkey does as well.

# Starts it and writes its address to $SCRATCH/redis.url.
start_redis() {
  local program attempt port
  program=$(redis_program)
  mkdir "$SCRATCH/redis"
  # It cannot pick a free port itself; the range lies beside the one of PostgreSQL.
  for ((attempt = 0; attempt < 10; attempt++)); do
    port=$((10000 + RANDOM % 10000))
    start_server redis TERM "$program" --port "$port" --bind 127.0.0.1 --dir "$SCRATCH/redis" \
      --save '' --appendonly no --daemonize no
    if wait_for_line redis 'Ready to accept connections' 30 >/dev/null 2>"$SCRATCH/logs/redis-start"; then
      echo "redis://127.0.0.1:$port" >"$SCRATCH/redis.url"
      say "$("$program" --version | grep -oE '^[A-Za-z]+') on 127.0.0.1:$port"
      return
    fi
    stop_server redis
    grep -q 'Address already in use' "$SCRATCH/logs/redis.log" || break
  done
  cat "$SCRATCH/logs/redis-start" >&2
  return 1
}
