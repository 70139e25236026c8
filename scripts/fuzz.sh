#!/bin/sh
# Random and mutated disks against what reads uploads: `npm run fuzz -- --minutes 10 --seed 1 --target contents`.
set -eu
cd "$(dirname "$0")/.."
. scripts/bootstrap.sh
bootstrap disks cook
exec $AS_ROOT_WITH_ENV node --conditions=source --disable-warning=ExperimentalWarning test/fuzz/main.ts "$@"
