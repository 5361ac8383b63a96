# shellcheck shell=bash
# The client library in clients/typescript: its packages and its tests.

# Installs exactly the packages of its package-lock.json.
install_client() {
  local stamp=clients/typescript/node_modules/.fairweather-packages wanted
  wanted=$(node --version && sha256sum clients/typescript/package-lock.json)
  [[ -f $stamp && $(<"$stamp") == "$wanted" ]] && return
  (cd clients/typescript && npm ci --no-audit --no-fund)
  printf '%s\n' "$wanted" >"$stamp"
}

# Writes its types anew from schema/openapi.json.
write_client_types() {
  install_client
  (cd clients/typescript && npm run types)
  say "Wrote clients/typescript/src/openapi.ts"
}

# Runs its tests, those against a real server with the binary under test.
test_client() {
  install_client
  (cd clients/typescript && SERVER_BIN=$CARGO_TARGET_DIR/debug/fairweather npm test 2>&1) |
    tee "$SCRATCH/logs/client.tests"
}
