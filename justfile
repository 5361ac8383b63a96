# The recipes to remember. Each is a script or one command, so everything works without `just` too:
# the README's two commands are `scripts/start` and `scripts/test`.

# Lists the recipes.
default:
    @just --list

# Builds the web app, then the server with optimisations.
build:
    scripts/build

# Builds and starts everything for development; arguments go to `fairweather dev`.
dev *arguments:
    scripts/start {{ arguments }}

# Runs every test, as CI does.
test *arguments:
    scripts/test {{ arguments }}

# Runs what is too slow for every change.
nightly *arguments:
    scripts/nightly {{ arguments }}

# Gives arbitrary bytes to every parser that takes some from outside.
fuzz *arguments:
    scripts/fuzz {{ arguments }}

# Proves that the tests of sync find bugs, by planting some.
sync-mutants *arguments:
    scripts/sync-mutants {{ arguments }}

# Measures the server beside others; needs a release build.
bench *arguments: build
    bench/run {{ arguments }}

# Writes the contracts under schema/ anew.
schema:
    scripts/schema

# Checks types, formatting and lints.
check:
    scripts/test --only lint

# Builds what is published: target/dist/fairweather.
release:
    scripts/build --profile dist
