# shellcheck shell=bash
# The binary under test: the one that the test build made, never a second build of its own.

# start_fairweather NAME ARGUMENT...: starts `fairweather dev` with a data folder of its own on a
# free port and prints its base address once it listens.
start_fairweather() {
  local name=$1
  shift
  start_server "$name" TERM "$CARGO_TARGET_DIR/debug/fairweather" dev \
    --listen 127.0.0.1:0 --data "$SCRATCH/data-$name" "$@"
  wait_for_line "$name" 'listening on http://[^[:space:]"]+' 60 | sed 's/^listening on //'
}

# Prints the address of the page that shows what a started instance would have mailed.
mailbox_of() {
  wait_for_line "$1" 'mailbox http://[^[:space:]"]+' 5 | sed 's/^mailbox //'
}
