import { BlockList, isIP } from 'node:net';

/** True for the addresses that a fetch may connect to. */
export type AddressPolicy = (address: string) => boolean;

/** IANA's special-purpose registry for IPv4, multicast and what is reserved: RFC 6890 and its successors. */
const NOT_PUBLIC_V4: readonly [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];

/** Within 2000::/3, the only part of IPv6 that is public: protocols that embed IPv4, benchmarks, documentation. */
const NOT_PUBLIC_V6: readonly [string, number][] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
];

const closed = new BlockList();
for (const [net, bits] of NOT_PUBLIC_V4) closed.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of NOT_PUBLIC_V6) closed.addSubnet(net, bits, 'ipv6');
const unicast = new BlockList();
unicast.addSubnet('2000::', 3, 'ipv6');

/**
 * True for addresses of the public Internet. IPv6 that maps, translates or tunnels IPv4 (::ffff:0:0/96,
 * 64:ff9b::/96, 2002::/16…) is not, whatever it leads to; nor is what is no address.
 */
export const isPublicAddress: AddressPolicy = (address) => {
  const family = isIP(address);
  if (family === 4) return !closed.check(address, 'ipv4');
  if (family !== 6 || address.includes('%')) return false;
  return unicast.check(address, 'ipv6') && !closed.check(address, 'ipv6');
};
