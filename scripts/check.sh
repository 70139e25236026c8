#!/bin/sh
# Before a commit: formats, lints, checks the types and the architecture. `--no-write` changes nothing.
set -eu
cd "$(dirname "$0")/.."
. scripts/bootstrap.sh
bootstrap
case ${1:-} in
  --no-write) npx biome check --error-on-warnings . ;;
  '') npx biome check --write --error-on-warnings . ;;
  *) fail "unknown option $1 (there is only --no-write)" ;;
esac
npx tsc -p tsconfig.json
[ ! -f apps/storefront/tsconfig.json ] || npx tsc -p apps/storefront/tsconfig.json
npx depcruise --config .dependency-cruiser.mjs apps libs
npx vitest run --project unit test/architecture
