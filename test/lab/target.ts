import { BlockList, isIPv4 } from 'node:net';
import { GUEST_NETWORK } from './layout.ts';

/** A TCP port of a guest. */
export interface Target {
  readonly address: string;
  readonly port: number;
}

const guests = new BlockList();
guests.addSubnet(GUEST_NETWORK.cidr.split('/')[0] ?? '', GUEST_NETWORK.prefixLength, 'ipv4');

/** Reads `address:port`; undefined when it is not an IPv4 address of the lab's guests with a port 1–65535. */
export function parseTarget(text: string): Target | undefined {
  const match = /^([0-9.]{7,15}):([0-9]{1,5})$/.exec(text);
  const address = match?.[1] ?? '';
  const port = Number(match?.[2]);
  if (!isIPv4(address) || !guests.check(address, 'ipv4')) return undefined;
  return port >= 1 && port <= 65535 ? { address, port } : undefined;
}
