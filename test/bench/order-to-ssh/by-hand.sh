#!/bin/sh
# What somebody who knows the tools would write: an overlay of the golden image, a seed, virt-install --import, and a
# login as soon as it is let in. Prints the seconds from start to first command. Leaves nothing behind.
set -eu
: "$URI" "$NAME" "$IMAGE_PATH" "$DISK_POOL" "$BRIDGE" "$IP" "$PREFIX_LENGTH" "$GATEWAY" "$SSH_PORT" "$SSH_KEY"
mac=52:54:00:be:9c:01
work=$(mktemp -d)

clean_up() {
  {
    virsh -c "$URI" destroy "$NAME"
    virsh -c "$URI" undefine "$NAME"
    virsh -c "$URI" vol-delete --pool "$DISK_POOL" "$NAME.qcow2"
    virsh -c "$URI" vol-delete --pool "$DISK_POOL" "$NAME-seed.img"
  } >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 143' INT TERM

started=$(date +%s%N)

cat >"$work/user-data" <<END
#cloud-config
hostname: $NAME
disable_root: false
users:
  - name: root
    lock_passwd: true
    ssh_authorized_keys: ['$(cat "$SSH_KEY.pub")']
END
printf 'instance-id: %s\nlocal-hostname: %s\n' "$NAME-$started" "$NAME" >"$work/meta-data"
cat >"$work/network-config" <<END
version: 2
ethernets:
  eth0:
    match: {macaddress: '$mac'}
    set-name: eth0
    dhcp4: false
    addresses: ['$IP/$PREFIX_LENGTH']
    routes: [{to: 0.0.0.0/0, via: $GATEWAY}]
END
cloud-localds -N "$work/network-config" "$work/seed.img" "$work/user-data" "$work/meta-data"

virsh -c "$URI" vol-create-as "$DISK_POOL" "$NAME.qcow2" 10G --format qcow2 \
  --backing-vol "$IMAGE_PATH" --backing-vol-format qcow2 >/dev/null
virsh -c "$URI" vol-create-as "$DISK_POOL" "$NAME-seed.img" "$(stat -c %s "$work/seed.img")" --format raw >/dev/null
virsh -c "$URI" vol-upload --pool "$DISK_POOL" "$NAME-seed.img" "$work/seed.img" >/dev/null

virt-install --connect "$URI" --name "$NAME" --import --virt-type qemu --memory 1024 --vcpus 1 --osinfo debian11 \
  --disk "vol=$DISK_POOL/$NAME.qcow2,bus=virtio" --disk "vol=$DISK_POOL/$NAME-seed.img,bus=virtio,readonly=on" \
  --network "bridge=$BRIDGE,mac=$mac,model=virtio" --graphics none --noautoconsole --quiet >&2

log_in() {
  ssh -i "$SSH_KEY" -p "$SSH_PORT" -o IdentitiesOnly=yes -o BatchMode=yes -o ConnectTimeout=5 \
    -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR root@127.0.0.1 hostname 2>/dev/null
}
until [ "$(log_in)" = "$NAME" ]; do sleep 0.5; done
echo $((($(date +%s%N) - started) / 1000000)) | sed 's/...$/.&/'
