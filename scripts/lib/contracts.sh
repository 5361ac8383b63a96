# shellcheck shell=bash
# Files under schema/ that the binary generates and that are committed, so that a change of a
# contract shows in a diff. One line each: the file, then the command that prints it.
CONTRACTS=(
  "openapi.json openapi"
  "config.schema.json config schema"
)

# Prints what the binary says a contract is.
generate_contract() { "$CARGO_TARGET_DIR/debug/fairweather" "$@"; }

# Fails, with the difference, when a committed contract is not what the binary prints.
check_contracts() {
  local line file arguments stale=0
  for line in "${CONTRACTS[@]}"; do
    read -r file arguments <<<"$line"
    # shellcheck disable=SC2086 # The command is a list of words.
    generate_contract $arguments >"$SCRATCH/$file"
    if diff -u "schema/$file" "$SCRATCH/$file" | head -n 60; then
      say "schema/$file is fresh."
    else
      complain "schema/$file is stale: run scripts/schema and commit the result."
      stale=1
    fi
  done
  return "$stale"
}

# Writes every contract anew.
write_contracts() {
  local line file arguments
  for line in "${CONTRACTS[@]}"; do
    read -r file arguments <<<"$line"
    # Written beside first, so that a failing command leaves the old file alone.
    # shellcheck disable=SC2086 # The command is a list of words.
    generate_contract $arguments >"schema/$file.new"
    mv "schema/$file.new" "schema/$file"
    say "Wrote schema/$file"
  done
}
