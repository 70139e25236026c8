#!/bin/sh
# Installs Debian packages, as root, and keeps them from starting services: Servery starts private instances
# of its own, so a PostgreSQL or Redis of the machine must not take a port meanwhile.
set -eu

export DEBIAN_FRONTEND=noninteractive
POLICY=/usr/sbin/policy-rc.d

remove_policy() { rm -f "$POLICY"; }

if [ ! -e "$POLICY" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$POLICY"
  chmod 755 "$POLICY"
  trap remove_policy EXIT
  trap 'exit 143' INT TERM
fi

install() {
  apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
}

# A kill in the middle of an earlier run leaves packages unpacked and not configured.
dpkg --configure -a

# Package lists that are absent or too old name files that the mirror no longer has: then ask for new ones.
if ! apt-cache show "$@" >/dev/null 2>&1 || ! install "$@"; then
  apt-get update -o DPkg::Lock::Timeout=300
  install "$@"
fi
