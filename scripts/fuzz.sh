#!/bin/sh
# Random and mutated disks against the parser of uploads: `npm run fuzz -- --minutes 10 --seed 1`.
set -eu
cd "$(dirname "$0")/.."
. scripts/bootstrap.sh
bootstrap disks
exec $AS_ROOT_WITH_ENV node --conditions=source --disable-warning=ExperimentalWarning test/fuzz/disk-headers.fuzz.ts "$@"
