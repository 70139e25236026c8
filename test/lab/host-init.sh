#!/bin/sh
# The first process of a lab host. It mounts what is the host's own over the machine's, says so, and then
# only collects orphans. It is process 1 of the host's PID namespace: when it dies, all in the host dies.
# usage: host-init.sh LAB HOST FOLDER RUN_FOLDER SHARED_FOLDER
set -eu
name=$2 folder=$3 run=$4 shared=$5

mount -t proc proc /proc
# Other labs' namespaces must not be kept alive by copies of their mounts in here.
umount -R -l /run/netns
mount -t sysfs sysfs /sys
hostname "$name"

mkdir -p /run/libvirt /var/cache/libvirt /var/log/libvirt
mount --bind "$run" /run/libvirt
mount --bind "$folder/etc" /etc/libvirt
mount --bind "$folder/lib" /var/lib/libvirt
mount --bind "$folder/log" /var/log/libvirt
mount --bind "$folder/cache" /var/cache/libvirt

pools=/var/lib/libvirt/servery
mkdir -p "$pools"
if [ -f "$folder/pools.ext4" ]; then mount -o loop "$folder/pools.ext4" "$pools"; fi
mkdir -p "$pools/images" "$pools/disks" "$pools/shared"
mount --bind "$shared" "$pools/shared"

touch /run/libvirt/booted
while :; do
  sleep 86400 &
  wait $! || true
done
