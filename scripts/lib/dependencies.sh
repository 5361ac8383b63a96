# shellcheck shell=bash
# What is built into Fairweather from elsewhere: crates and npm packages.

# Looks at sources, hashes and licences in the lock files; needs no network.
check_dependencies() {
  cargo metadata --offline --locked --format-version 1 | node scripts/lib/dependencies.mjs
}

# Asks which of them have known weaknesses. An answer that nobody could give is no failure of theirs, but it is said.
audit_dependencies() {
  local status=0
  audit_packages || status=1
  audit_crates || status=1
  return "$status"
}

# Every lock file with all that stands in it. --omit=dev would look at nothing: the web app's packages stand under
# devDependencies, since a build takes what it needs from them, and that is what browsers get.
audit_packages() {
  local lock folder answer status=0
  while IFS= read -r lock; do
    folder=${lock%/*}
    if answer=$(cd "$folder" && npm audit --package-lock-only --audit-level=moderate --json 2>/dev/null); then
      say "$folder: npm knows of no weakness."
    elif grep -q '"auditReportVersion"' <<<"$answer"; then
      (cd "$folder" && npm audit --package-lock-only >&2) || true
      complain "$folder: npm knows of weaknesses."
      status=1
    else
      complain "$folder: the registry gave no answer: npm packages were NOT CHECKED."
    fi
  done < <(find . -name package-lock.json -not -path '*/node_modules/*' | sort)
  return "$status"
}

ADVISORIES=https://github.com/RustSec/advisory-db

audit_crates() {
  if ! timeout 30 git ls-remote --exit-code "$ADVISORIES" HEAD >/dev/null 2>&1; then
    complain "The RustSec database ($ADVISORIES) cannot be reached: crates were NOT CHECKED."
  elif command -v cargo-audit >/dev/null; then
    cargo audit --deny yanked
  elif command -v cargo-deny >/dev/null; then
    cargo deny --locked check advisories
  else
    complain "Neither cargo-audit nor cargo-deny is installed: crates were NOT CHECKED."
  fi
}
