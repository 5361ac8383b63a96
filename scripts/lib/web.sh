# shellcheck shell=bash
# The web app in web/: its packages and web/dist, which cargo embeds into the binary. Both are left
# alone while nothing that they are made from has changed, because cargo would embed them again.

# One line that changes whenever a file that npm builds from changes. Node is part of it, since
# another version may need other packages.
web_fingerprint() {
  {
    node --version
    find web clients/typescript/src \( -name node_modules -o -name dist -o -name test-results -o -name tests \) -prune -o \
      -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
  } | sha256sum
}

# Installs exactly the packages of web/package-lock.json.
install_web() {
  local stamp=web/node_modules/.fairweather-packages wanted
  wanted=$(node --version && sha256sum web/package-lock.json)
  [[ -f $stamp && $(<"$stamp") == "$wanted" ]] && return
  (cd web && npm ci --no-audit --no-fund)
  printf '%s\n' "$wanted" >"$stamp"
}

WEB_BUILD_STAMP=web/node_modules/.fairweather-build

# Whether web/dist is what the sources make.
web_is_built() {
  [[ -f $WEB_BUILD_STAMP && -f web/dist/index.html && $(<"$WEB_BUILD_STAMP") == "$(web_fingerprint)" ]]
}

# Makes web/dist.
build_web() {
  if web_is_built; then
    say "web/dist is up to date."
    return
  fi
  install_web
  (cd web && npm run build)
  # Taken after the build, which may write files of its own beside the sources.
  web_fingerprint >"$WEB_BUILD_STAMP"
}
