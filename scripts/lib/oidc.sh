# shellcheck shell=bash
# The certified OpenID provider in tests/oidc, against which sign-in through a provider is tested.

# Installs exactly the packages of its package-lock.json.
install_oidc() {
  local stamp=tests/oidc/node_modules/.fairweather-packages wanted
  wanted=$(node --version && sha256sum tests/oidc/package-lock.json)
  [[ -f $stamp && $(<"$stamp") == "$wanted" ]] && return
  (cd tests/oidc && npm ci --no-audit --no-fund)
  printf '%s\n' "$wanted" >"$stamp"
}
