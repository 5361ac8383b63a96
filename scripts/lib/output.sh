# shellcheck shell=bash
# Messages of the scripts: one style, colours only for a person at a terminal.

if [[ -t 2 && -z ${NO_COLOR:-} && ${CI:-} != true ]]; then
  BOLD=$'\e[1m' RED=$'\e[31m' PLAIN=$'\e[0m'
else
  BOLD='' RED='' PLAIN=''
fi

# Everything goes to standard error, so that a command's own output can still be piped.
say() { printf '%s\n' "$*" >&2; }
heading() { printf '\n%s%s%s\n' "$BOLD" "$*" "$PLAIN" >&2; }
complain() { printf '%s%s%s\n' "$RED" "$*" "$PLAIN" >&2; }
fail() {
  complain "$*"
  exit 1
}

# Seconds as "8 s" or "3 min 20 s".
duration() {
  if (($1 < 60)); then
    printf '%d s' "$1"
  else
    printf '%d min %d s' "$(($1 / 60))" "$(($1 % 60))"
  fi
}
