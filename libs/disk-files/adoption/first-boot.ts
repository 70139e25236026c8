/**
 * What is written into a system that has no cloud-init, so that it reads its server's seed all the same: a unit of systemd
 * and the script that it runs before the network comes up.
 */
export const FIRST_BOOT = {
  folder: 'servery',
  script: 'first-boot',
  unit: 'servery-first-boot.service',
} as const;

export const FIRST_BOOT_UNIT = `[Unit]
Description=Takes address, name and keys from Servery's seed
DefaultDependencies=no
Wants=network-pre.target
After=local-fs.target systemd-udevd.service systemd-udev-trigger.service
Before=network-pre.target ssh.service sshd.service shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /etc/${FIRST_BOOT.folder}/${FIRST_BOOT.script}

[Install]
WantedBy=multi-user.target
`;

/**
 * The seed is there at the first boot alone; what later boots need is kept, and is on the disk before the system goes on: a
 * power cut would leave empty files. The network is set here and left for whichever of the usual managers takes the card
 * over, each of which would drop what it does not know.
 */
export const FIRST_BOOT_SCRIPT = String.raw`#!/bin/sh
kept=/var/lib/servery
seed=/run/servery-seed
umask 077
mkdir -p "$kept" "$seed"

find_seed() { blkid -t LABEL=CIDATA -o device | head -n 1; }
tries=20
[ -f "$kept/network" ] && tries=3
device=$(find_seed)
while [ -z "$device" ] && [ "$tries" -gt 0 ]; do
  sleep 1
  tries=$((tries - 1))
  device=$(find_seed)
done

if [ -n "$device" ] && mount -o ro "$device" "$seed"; then
  cp "$seed/network" "$kept/network"
  if [ -s "$seed/ssh_host_ed25519_key" ]; then
    mkdir -p /etc/ssh
    cp "$seed/ssh_host_ed25519_key" "$seed/ssh_host_ed25519_key.pub" /etc/ssh/
    chmod 644 /etc/ssh/ssh_host_ed25519_key.pub
  fi
  if [ -s "$seed/authorized_keys" ]; then
    mkdir -p /root/.ssh
    cat "$seed/authorized_keys" >> /root/.ssh/authorized_keys
  fi
  [ -s "$seed/password" ] && { printf 'root:'; cat "$seed/password"; } | chpasswd -e
  umount "$seed"
  sync
fi
[ -f "$kept/network" ] || exit 0

value() { sed -n "s/^$1=//p" "$kept/network"; }
mac=$(value mac)
address=$(value address)
gateway=$(value gateway)
name=$(value hostname)
umask 022
echo "$name" > /proc/sys/kernel/hostname
echo "$name" > /etc/hostname

mkdir -p /run/systemd/network
printf '[Match]\nMACAddress=%s\n\n[Network]\nAddress=%s\nGateway=%s\n' "$mac" "$address" "$gateway" \
  > /run/systemd/network/00-servery.network
mkdir -p /run/NetworkManager/system-connections
(
  umask 077
  printf '[connection]\nid=servery\ntype=ethernet\nautoconnect-priority=100\n\n[ethernet]\nmac-address=%s\n\n[ipv4]\nmethod=manual\naddress1=%s,%s\n\n[ipv6]\nmethod=link-local\n' \
    "$mac" "$address" "$gateway" > /run/NetworkManager/system-connections/servery.nmconnection
)

udevadm settle --timeout=10
tries=10
while [ "$tries" -gt 0 ]; do
  for card in /sys/class/net/*; do
    [ "$(cat "$card/address")" = "$mac" ] || continue
    ip link set "\${card##*/}" up
    ip address replace "$address" dev "\${card##*/}"
    ip route replace default via "$gateway" dev "\${card##*/}"
    exit 0
  done
  sleep 1
  tries=$((tries - 1))
done
`.replaceAll('\\${', '${');
