import { isIPv4 } from 'node:net';
import { NetworksError } from './networks.errors.ts';

/** IPv4 addresses one after another. `count` is 1 to 65,536. */
export interface AddressRun {
  readonly firstIp: string;
  readonly count: number;
}

/** What the servers that get an address are told of their network. `prefixLength` is 8 to 30. */
export interface Network {
  readonly prefixLength: number;
  readonly gateway: string;
}

const MOST_AT_ONCE = 65_536;

/**
 * Reads `203.0.113.10-203.0.113.99`, or one address.
 * @throws NetworksError `address_run_invalid`
 */
export function parseAddressRun(text: string): AddressRun {
  const [first = '', last = first, ...more] = text.split('-').map((part) => part.trim());
  const isRead = isIPv4(first) && isIPv4(last) && more.length === 0;
  if (!isRead)
    throw invalid(`"${text}" must be an IPv4 address, or a first and a last one: 203.0.113.10-203.0.113.99`);
  const count = numberOf(last) - numberOf(first) + 1;
  if (count < 1) throw invalid(`${last} comes before ${first}`);
  if (count > MOST_AT_ONCE)
    throw invalid(`${text} has ${count} addresses; add ${MOST_AT_ONCE} at most at once`);
  return { firstIp: first, count };
}

/**
 * Refuses a run that does not lie in its gateway's network, or has in it what no server can use: the network's own
 * address, its broadcast address, or the gateway.
 * @throws NetworksError `address_run_invalid`
 */
export function assertInNetwork({ firstIp, count }: AddressRun, { prefixLength, gateway }: Network): void {
  if (!Number.isInteger(prefixLength) || prefixLength < 8 || prefixLength > 30) {
    throw invalid(`the prefix length must be a whole number from 8 to 30, not ${prefixLength}`);
  }
  if (!isIPv4(gateway)) throw invalid(`the gateway must be an IPv4 address, not "${gateway}"`);
  const size = 2 ** (32 - prefixLength);
  const network = Math.floor(numberOf(gateway) / size) * size;
  const first = numberOf(firstIp);
  const last = first + count - 1;
  if (first < network || last >= network + size) {
    throw invalid(`not all of these addresses are in the network of ${gateway}/${prefixLength}`);
  }
  const reserved = {
    "the network's own address": network,
    'its broadcast address': network + size - 1,
    'the gateway': numberOf(gateway),
  };
  for (const [what, ip] of Object.entries(reserved)) {
    if (ip >= first && ip <= last) throw invalid(`${textOf(ip)} is ${what}: leave it out`);
  }
}

/** An IPv4 address as the number that it is. */
function numberOf(ip: string): number {
  return ip.split('.').reduce((number, octet) => number * 256 + Number(octet), 0);
}

function textOf(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

function invalid(message: string): NetworksError {
  return new NetworksError('address_run_invalid', message);
}
