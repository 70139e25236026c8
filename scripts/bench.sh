#!/bin/sh
# Comparisons, side by side in one run: `npm run bench -- placement`. Nothing here passes or fails by its time;
# `billing-year` passes or fails by what its books come to, `disks` by what its copies hold.
set -eu
cd "$(dirname "$0")/.."
. scripts/bootstrap.sh
usage='usage: npm run bench -- placement | order-to-ssh | billing-close | cook [--rounds N]
       npm run bench -- disks [--rounds N] [--only proof | ratios]
       npm run bench -- billing-year [--seed N [--seeds N]] [--customers N] [--servers N] [--months N]'
[ $# -gt 0 ] || fail "$usage"
name=$1
shift
case $name in
  placement | billing-close | billing-year)
    bootstrap services
    ;;
  cook)
    bootstrap cook
    ;;
  disks)
    bootstrap lab
    ;;
  order-to-ssh)
    bootstrap bench lab
    ;;
  *) fail "$usage" ;;
esac
exec $AS_ROOT_WITH_ENV node --conditions=source --disable-warning=ExperimentalWarning \
  --import ./test/support/swc-register.ts "test/bench/$name.bench.ts" "$@"
