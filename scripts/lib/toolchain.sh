# shellcheck shell=bash
# The compilers that building needs. The minimum versions are written once: Rust's in Cargo.toml
# (rust-version), Node's in web/package.json (engines).

# rustup installs into a folder that only a new login shell has on its PATH.
if ! command -v cargo >/dev/null && [[ -x ${CARGO_HOME:-$HOME/.cargo}/bin/cargo ]]; then
  PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi

# Where cargo puts what it builds: said aloud, since the scripts start programs from there.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}

minimum_rust() { sed -n 's/^rust-version *= *"\(.*\)"/\1/p' Cargo.toml; }
minimum_node() { sed -n '/"engines"/,/}/s/.*"node": *">=\([0-9.]*\)".*/\1/p' web/package.json; }

# Whether version $1 is at least version $2.
at_least() { [[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

# Checks that the toolchain is complete and new enough; names everything missing at once.
require_toolchain() {
  local missing=() found
  command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null ||
    missing+=("a C compiler: apt-get install build-essential")
  found=$(rustc --version 2>/dev/null | cut -d ' ' -f 2 || true)
  if ! command -v cargo >/dev/null || ! at_least "${found%%-*}" "$(minimum_rust)"; then
    missing+=("Rust $(minimum_rust) or newer (found: ${found:-none}): https://rustup.rs, or 'rustup update stable'")
  fi
  found=$(node --version 2>/dev/null || true)
  if ! command -v npm >/dev/null || ! at_least "${found#v}" "$(minimum_node)"; then
    missing+=("Node.js $(minimum_node) or newer with npm (found: ${found:-none}): https://nodejs.org/en/download")
  fi
  if ((${#missing[@]})); then
    complain "Building Fairweather needs:"
    printf '  - %s\n' "${missing[@]}" >&2
    exit 1
  fi
}
