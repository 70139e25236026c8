#!/bin/sh
# Every suite, on real parts. Needs nothing that `up` made, and leaves nothing behind.
set -eu
cd "$(dirname "$0")/.."
. scripts/bootstrap.sh
bootstrap services lab hypervisor volumes cook disks exports up test
build
exec $AS_ROOT_WITH_ENV node --conditions=source test/run.ts "$@"
