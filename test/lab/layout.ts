import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { LabError } from './lab.errors.ts';

/** Most hosts of one lab: their addresses are 10.78.0.11 … .74. */
export const MAX_HOSTS = 64;

/** The network of the guests. It exists inside the lab's namespaces only, so every lab may use the same. */
export const GUEST_NETWORK = {
  cidr: '10.77.0.0/24',
  prefixLength: 24,
  gateway: '10.77.0.1',
  firstGuest: '10.77.0.50',
  lastGuest: '10.77.0.250',
} as const;

/** The bridge inside each host that the guests' taps join. */
export const GUEST_BRIDGE = 'br0';

/** Storage pools of each host and where they lie, as the host sees it. */
export const POOL_ROOT = '/var/lib/libvirt/servery';
export const POOLS = {
  images: 'servery-images',
  disks: 'servery-disks',
  shared: 'servery-shared',
} as const;

/** Names and paths of one host; nothing here touches the machine. */
export interface HostLayout {
  readonly name: string;
  readonly uuid: string;
  /** Address on the hosts' own network (migration), which no guest can reach. */
  readonly address: string;
  readonly namespace: string;
  /** What outlives a power loss: configuration, disks, logs. */
  readonly folder: string;
  /** The host's /run/libvirt. */
  readonly runFolder: string;
  /** The socket that clients use; it is away while the host's link is cut. */
  readonly socket: string;
  readonly uri: string;
  readonly initLog: string;
}

/** Names and paths of one lab, all from its folder. */
export interface LabLayout {
  readonly folder: string;
  /** Six hexadecimal digits of the folder's name: keeps labs apart in names of at most 15 characters. */
  readonly hash: string;
  readonly namespace: string;
  readonly runFolder: string;
  readonly gatewaySocket: string;
  readonly relaySocket: string;
  readonly sharedFolder: string;
  readonly descriptionFile: string;
  readonly relaysFile: string;
  readonly logFolder: string;
}

/** The lab that lives in `folder` (made absolute). Sockets stand under /run: their paths end at 108 bytes. */
export function labLayout(folder: string): LabLayout {
  const absolute = resolve(folder);
  if (/[\n\0]/.test(absolute))
    throw new LabError(
      'bad_folder',
      'The folder of the lab has a line break in its name. Choose another with --folder.',
    );
  const hash = createHash('sha256').update(absolute).digest('hex').slice(0, 6);
  const runFolder = `/run/servery-${hash}`;
  return {
    folder: absolute,
    hash,
    namespace: `sv${hash}-net`,
    runFolder,
    gatewaySocket: `${runFolder}/gateway.sock`,
    relaySocket: `${runFolder}/relay.sock`,
    sharedFolder: `${absolute}/shared`,
    descriptionFile: `${absolute}/lab.json`,
    relaysFile: `${absolute}/relays.json`,
    logFolder: `${absolute}/log`,
  };
}

/** Host number `index` (from 1) of a lab. */
export function hostLayout(lab: LabLayout, index: number): HostLayout {
  const name = `kvm${index}`;
  const folder = `${lab.folder}/hosts/${name}`;
  const socket = `${lab.runFolder}/${name}.sock`;
  return {
    name,
    uuid: uuidOf(`${lab.folder}\0${name}`),
    address: `10.78.0.${10 + index}`,
    namespace: `sv${lab.hash}-${name}`,
    folder,
    runFolder: `${lab.runFolder}/${name}`,
    socket,
    uri: `qemu+unix:///system?socket=${socket}`,
    initLog: `${lab.logFolder}/${name}-init.log`,
  };
}

/** A UUID (version 8, RFC 9562) that is always the same for `seed`. */
function uuidOf(seed: string): string {
  const bytes = createHash('sha256').update(seed).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
