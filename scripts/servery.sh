#!/bin/sh
# The operator's command: `npm run servery -- host list`. It speaks to the installation that `up` made; where there is
# none, to the one that the environment describes (.env.example).
set -eu
cd "$(dirname "$0")/.."
case ${1:-} in
  up | down) script=$1; shift; exec sh "scripts/$script.sh" "$@" ;;
esac
. scripts/bootstrap.sh
# What the command prints may be read by a program.
ensure_node >&2
ensure_npm_packages >&2
[ -f dist/apps/cli/main.js ] || build >&2
operator_env=$SERVERY_DATA_DIR/operator.env
if [ -r "$operator_env" ]; then . "$operator_env"; fi
exec $AS_ROOT_WITH_ENV node dist/apps/cli/main.js "$@"
