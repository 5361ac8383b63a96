# shellcheck shell=bash
# Programs of the operating system that the tests use. Installed when root or sudo is at hand,
# otherwise named in one line for an administrator, before anything is compiled.

# The newest PostgreSQL programs; Debian and Ubuntu keep them off the PATH.
postgres_programs() {
  local folder
  folder=$(find /usr/lib/postgresql -maxdepth 3 -path '*/bin/postgres' 2>/dev/null | sort -V | tail -n 1)
  [[ -n $folder ]] || folder=$(command -v postgres) || return
  dirname "$folder"
}

# Redis, or Valkey, which understands the same.
redis_program() { command -v redis-server || command -v valkey-server; }

# A program that some systems keep off the path of ordinary users.
administrators_program() { PATH=$PATH:/usr/sbin:/usr/local/sbin command -v "$1"; }

# A Chromium to test with: the one named by CHROMIUM, or the system's.
find_chromium() {
  command -v "${CHROMIUM:-chromium}" || command -v chromium-browser || command -v google-chrome ||
    command -v google-chrome-stable
}

python_makes_environments() { python3 -c 'import ensurepip, venv' 2>/dev/null; }

# Names the Debian packages that the given steps need and this machine lacks.
missing_packages() {
  local step
  for step in "$@"; do
    case $step in
      tests)
        command -v openssl >/dev/null || echo openssl
        administrators_program pgbouncer >/dev/null || echo pgbouncer
        ;;
      postgres) postgres_programs >/dev/null || echo postgresql ;;
      redis) command -v redis-server >/dev/null || echo redis-server ;;
      nodes)
        administrators_program nginx >/dev/null || echo nginx
        command -v faketime >/dev/null || echo faketime
        ;;
      proxies)
        administrators_program apache2 >/dev/null || echo apache2
        administrators_program haproxy >/dev/null || echo haproxy
        ;;
      browser) find_chromium >/dev/null || echo chromium ;;
      durability) command -v wrk >/dev/null || echo wrk ;;
      api) python_makes_environments || echo python3-venv ;;
    esac
  done
}

# Installs what the given steps need, or says what is missing and fails.
install_packages() {
  local missing privilege=()
  mapfile -t missing < <(missing_packages "$@")
  if ((${#missing[@]} == 0)); then
    say "Nothing to install."
    return
  fi
  if ((EUID != 0)); then
    # A password can only be asked for where somebody sits.
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 0 && ${CI:-} != true ]]; }; then
      privilege=(sudo)
    else
      fail "Not installed: ask an administrator to run: apt-get install ${missing[*]}"
    fi
  fi
  command -v apt-get >/dev/null ||
    fail "Not installed, and this system has no apt-get: ${missing[*]} (Debian's names)"
  say "Installing: ${missing[*]}"
  "${privilege[@]}" apt-get update -qq
  "${privilege[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} == 0)) || fail "Installed, but still not usable: ${missing[*]}"
}
