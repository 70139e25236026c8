#!/bin/sh
# Cooks, boots and uses appliances of the catalog as their clients would: `npm run catalog:verify`, for all of them;
# `npm run catalog:verify -- web docker` for some.
set -eu
cd "$(dirname "$0")/.."
. scripts/bootstrap.sh
bootstrap cook test
exec $AS_ROOT_WITH_ENV node --conditions=source --disable-warning=ExperimentalWarning \
  --import ./test/support/swc-register.ts test/catalog/verify.ts "$@"
