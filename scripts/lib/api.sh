# shellcheck shell=bash
# Schemathesis: generated requests against a running instance, judged by its own OpenAPI document.

# install_schemathesis: the pinned version, in an environment of the run's own.
install_schemathesis() {
  python3 -m venv "$SCRATCH/python"
  "$SCRATCH/python/bin/pip" install --quiet --disable-pip-version-check -r tests/api/requirements.txt
}

# run_schemathesis ARGUMENT...: tests a fresh instance; ARGUMENTs bound the run.
run_schemathesis() {
  local url
  install_schemathesis
  url=$(start_fairweather api)
  # The hooks ask this address for tokens. Nothing is left in the project's folder.
  if ! FAIRWEATHER_URL=$url PYTHONDONTWRITEBYTECODE=1 HYPOTHESIS_STORAGE_DIRECTORY=$SCRATCH/hypothesis \
    "$SCRATCH/python/bin/schemathesis" --config-file tests/api/schemathesis.toml \
    run "$url/openapi.json" --no-color "$@"; then
    complain "The end of the server's log:"
    tail -n 20 "$SCRATCH/logs/api.log" >&2
    return 1
  fi
  stop_server api
}
