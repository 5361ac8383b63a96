# shellcheck shell=bash
# Numbered steps with their times, and the summary at the end. A step is a function step_NAME. One
# that fails does not stop those that do not need it: a run should tell everything it can.

declare -A RESULT=() TOOK=()

# run_step NAME POSITION TEXT [NEEDED...]: runs one step unless a step that it needs failed.
run_step() {
  local name=$1 position=$2 text=$3 begin=$SECONDS needed status=0
  shift 3
  heading "[$position] $name: $text"
  for needed in "$@"; do
    if [[ ${RESULT[$needed]:-passed} != passed ]]; then
      RESULT[$name]="skipped (needs $needed)"
      TOOK[$name]=0
      say "Skipped: it needs $needed."
      return
    fi
  done
  # In a process group of its own, so that a run that is told to stop can end all of the step. The
  # subshell is not a condition, so `set -e` holds inside of it.
  set -m
  (
    set -e
    "step_$name"
  ) </dev/null &
  STEP_PID=$!
  set +m
  wait "$STEP_PID" || status=$?
  STEP_PID=
  TOOK[$name]=$((SECONDS - begin))
  if ((status == 0)); then
    RESULT[$name]=passed
    say "[$position] $name passed in $(duration "${TOOK[$name]}")"
  else
    RESULT[$name]=FAILED
    complain "[$position] $name FAILED after $(duration "${TOOK[$name]}")"
  fi
}

# count_tests LOG: prints "PASSED FAILED" from what a test runner wrote: nextest's summary line,
# every result line of cargo test, the closing lines of Playwright and of Node.
count_tests() {
  sed 's/\x1b\[[0-9;]*m//g' "$1" | awk '
    /^ *Summary \[/ || /^test result: / || /^ *[0-9]+ (passed|failed|flaky|did not run)/ {
      for (i = 1; i < NF; i++) if ($i ~ /^[0-9]+$/) {
        if ($(i + 1) ~ /^passed/) passed += $i
        else if ($(i + 1) ~ /^(failed|timed|exec|flaky)/) failed += $i
      }
    }
    # Of node --test, after a sign that not every awk takes for one character.
    /^[^ ]+ (pass|fail) [0-9]+$/ { if ($2 == "pass") passed += $3; else failed += $3 }
    END { printf "%d %d\n", passed, failed }'
}

# summarise NAME...: prints one line for each step, and in the end the number of tests that passed
# and failed. Fails when a step did.
summarise() {
  local name log passed=0 failed=0 more_passed more_failed status=0
  heading "Summary"
  for name in "$@"; do
    printf '  %-18s %-26s %s\n' "$name" "${RESULT[$name]}" "$(duration "${TOOK[$name]}")"
    [[ ${RESULT[$name]} == passed ]] || status=1
  done
  printf '  in all %s\n' "$(duration "$SECONDS")"
  shopt -s nullglob
  local logs=("$SCRATCH"/logs/*.tests)
  for log in "${logs[@]}"; do
    read -r more_passed more_failed < <(count_tests "$log")
    passed=$((passed + more_passed)) failed=$((failed + more_failed))
  done
  ((${#logs[@]} == 0)) || printf '%d passed, %d failed\n' "$passed" "$failed"
  return "$status"
}
