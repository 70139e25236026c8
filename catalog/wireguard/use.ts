import { eventually, type Use } from '../../test/catalog/use.ts';

/** A device in a network namespace of its own, which reaches the server by a cable and nothing else. */
const DEVICE = `set -e
ip netns add device
ip link add cable type veth peer name plug netns device
ip addr add 198.51.100.1/24 dev cable && ip link set cable up
ip -n device addr add 198.51.100.2/24 dev plug && ip -n device link set plug up
ip link add wg1 type wireguard && ip link set wg1 netns device
wireguard-peer add laptop > /root/laptop.conf
sed -n '/^Address/d; s/^Endpoint = .*/Endpoint = 198.51.100.1:51820/; p' /root/laptop.conf > /root/device.conf
ip netns exec device wg setconf wg1 /root/device.conf
ip -n device addr add 10.66.0.2/32 dev wg1 && ip -n device link set wg1 up
ip -n device route add 10.66.0.0/24 dev wg1`;

/** A peer connects and reaches the server through the tunnel; one that is removed does not. */
export const use: Use = async (guest) => {
  await eventually(() => guest.must('wg show wg0'));
  await guest.must(DEVICE);
  const ping = 'ip netns exec device ping -c 1 -W 5 10.66.0.1';
  await eventually(() => guest.must(ping));
  const handshake = await guest.must('wg show wg0 latest-handshakes');
  if (!/\t[1-9]\d+$/.test(handshake)) throw new Error(`there was no handshake: ${handshake}`);
  await guest.must('wireguard-peer remove laptop && ! wireguard-peer list | grep laptop');
  await guest.must(`! ${ping}`);
  await guest.must('ip netns del device');
};
