#!/bin/sh
# Stops all that `up` started; with --purge the data goes too.
set -eu
cd "$(dirname "$0")/.."
. scripts/bootstrap.sh
[ -d "$SERVERY_DATA_DIR" ] || { say 'Nothing is up.'; exit 0; }
ensure_node
ensure_npm_packages
[ -f dist/apps/cli/main.js ] || build
$AS_ROOT_WITH_ENV node dist/apps/cli/main.js down "$@"
case " $* " in
  # The Node that ran until here may lie in the data folder: it goes last.
  *' --purge '*) $AS_ROOT rm -rf "$SERVERY_DATA_DIR" ;;
esac
