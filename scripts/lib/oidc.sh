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

# start_provider NAME: starts one and prints its address. It sends browsers back to any port of this
# machine, and a server that is started with what tell_of_provider sets knows it as Example.
start_provider() {
  install_oidc >&2
  CLIENT_ID=web CLIENT_SECRET=$PROVIDER_SECRET CLIENT_KIND=native \
    REDIRECT_URI=http://localhost/v1/auth/oauth/example/callback \
    start_server "$1" TERM node tests/oidc/provider.mjs
  wait_for_line "$1" '^http://[^[:space:]]+' 30
}

PROVIDER_SECRET=known-to-both-sides-of-one-test-run

# tell_of_provider ADDRESS: has servers that are started from now on lead people there.
tell_of_provider() {
  export FAIRWEATHER_PROVIDERS__EXAMPLE__LABEL=Example FAIRWEATHER_PROVIDERS__EXAMPLE__ISSUER=$1 \
    FAIRWEATHER_PROVIDERS__EXAMPLE__CLIENT_ID=web FAIRWEATHER_PROVIDERS__EXAMPLE__CLIENT_SECRET=$PROVIDER_SECRET
}
