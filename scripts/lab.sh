#!/bin/sh
# The lab: a fleet of real libvirt hosts on one machine. `npm run lab -- --help` says more.
set -eu
cd "$(dirname "$0")/.."

case "$(uname -m)" in aarch64 | arm64) arch=arm64 ;; *) arch=x64 ;; esac
node=$(command -v node || true)
major=$("${node:-false}" -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
if [ "$major" -lt 24 ]; then
  node="${SERVERY_DATA_DIR:-.servery}/node/node_modules/node-linux-$arch/bin/node"
  if [ ! -x "$node" ]; then
    echo "lab: Node 24 is needed and $node does not exist. Run 'npm run up' once: it fetches it." >&2
    exit 1
  fi
fi
exec "$node" --conditions=source --disable-warning=ExperimentalWarning test/lab/main.ts "$@"
