import type { GuestProgram } from './guest-program.ts';

const BOOT = `
head -c 36 /proc/sys/kernel/random/boot_id
echo
systemctl show --property=FinishTimestampMonotonic 2>/dev/null | head -c 200`;

/** Prints which boot a system is in, and when the last of it was started. */
export const LOOK_AT_BOOT: GuestProgram = {
  name: 'servery-boot',
  text: `${BOOT}
[ -d /run/systemd/system ] || echo other`,
};

/**
 * Prints what a system consists of and what it does, in sections; reads alone. Each section ends after so much, so that
 * no guest makes it long. systemd's FinishTimestampMonotonic is the sum that `systemd-analyze` shows.
 */
export const SURVEY: GuestProgram = {
  name: 'servery-survey',
  text: `
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
section() { printf '\\n@@%s\\n' "$1"; }
units() { systemctl list-units --no-legend --plain --no-pager --full "$@" 2>/dev/null | head -n 2000 | head -c 400000; }
section kernel
uname -r | head -c 200
section boot
${BOOT}
section packages
if command -v dpkg-query >/dev/null; then
  dpkg-query -W -f='\${db:Status-Abbrev}\\t\${binary:Package}\\t\${Version}\\n'
elif command -v rpm >/dev/null; then
  rpm -qa --qf 'ii\\t%{NAME}.%{ARCH}\\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\\n'
fi 2>/dev/null | head -n 10000 | head -c 1000000
section services
units --all --type=service
section failed
units --state=failed
section sockets
for kind in tcp tcp6 udp udp6; do
  awk -v kind="$kind" 'NR > 1 && $4 == (kind ~ /^tcp/ ? "0A" : "07") { print kind, $2 }' "/proc/net/$kind" 2>/dev/null
done | head -n 2000
section disks
df -P -k 2>/dev/null | head -n 200 | head -c 50000
`,
};
