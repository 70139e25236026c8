#!/bin/sh
# The lab: a fleet of real libvirt hosts on one machine. `npm run lab -- --help` says more.
set -eu
cd "$(dirname "$0")/.."
. scripts/bootstrap.sh
# What the lab prints may be read by a program.
bootstrap lab >&2
exec $AS_ROOT_WITH_ENV node --conditions=source --disable-warning=ExperimentalWarning test/lab/main.ts "$@"
