#!/bin/sh
# Everything up, on a machine that has Node 20 and npm and nothing else: see apps/cli/up/ for the steps.
set -eu
cd "$(dirname "$0")/.."
. scripts/bootstrap.sh
bootstrap services lab hypervisor volumes cook disks exports up
build
exec $AS_ROOT_WITH_ENV node dist/apps/cli/main.js up "$@"
