import { newId, newUuid } from '#libs/kernel';
import { OUR_DEVICES } from '../port/devices.ts';
import type { OverlaySpec } from '../port/disks.ts';
import type { DomainSpec } from '../port/domains.ts';
import type { GuestReach } from '../port/guest-reach.ts';
import type { HostRef } from '../port/hosts.ts';
import type { Hypervisor } from '../port/hypervisor.ts';
import type { ImageFile } from '../port/images.ts';
import type { SeedSpec } from '../port/seeds.ts';

/** What a driver's spec hands to the suite. The host must be empty of our images, disks and domains. */
export interface ConformanceContext {
  readonly hypervisor: Hypervisor;
  /** The same driver on the same hosts, as another installation of Servery. */
  readonly stranger: Hypervisor;
  readonly reach: GuestReach;
  readonly host: HostRef;
  /** Two hosts with one disk pool, which is empty; each has an image pool of its own, at one and the same path. */
  readonly sharing: readonly [HostRef, HostRef];
  /** The host loses its power, and is back. */
  cutPower(): Promise<void>;
  /** A host that does not answer. */
  readonly deadHost: HostRef;
  /** An image that boots, reads a NoCloud seed and runs a guest agent; at most 1 GiB. */
  readonly image: ImageFile;
  /** An image whose disk is larger than 1 GiB; it need not boot. */
  readonly largeImage: ImageFile;
  /** An image of format `raw` that does not boot, as of a CD; it begins with `ISO_TEXT`. */
  readonly isoImage: ImageFile;
  /** Addresses of guests on the host's bridge. */
  readonly network: { readonly address: string; readonly prefixLength: number; readonly gateway: string };
  /** Addresses that guests reach over the bridge; the driver allows isolated guests one. A connection ends at once. */
  readonly outside: { readonly refused: string; readonly allowed: string; readonly port: number };
  /** How long a guest may take to boot. */
  readonly bootSeconds: number;
}

/** What the image of a CD begins with, one sector of it. */
export const ISO_TEXT = 'what is on the disc'.padEnd(2048, '.');

/** A server's worth of ids, names and documents, all of them fresh. */
export interface ServerPlan {
  readonly overlay: OverlaySpec;
  readonly seed: SeedSpec;
  readonly domain: DomainSpec;
  readonly hostname: string;
}

/** `hostKey` is a pair in OpenSSH's form, for the guest to present. */
export function planServer(
  { image, network }: ConformanceContext,
  hostKey?: { readonly privateKey: string; readonly publicKey: string },
): ServerPlan {
  const uuid = newUuid();
  const hostname = `t-${uuid.slice(0, 8)}`;
  const mac = `52:54:00:${uuid.slice(0, 2)}:${uuid.slice(2, 4)}:${uuid.slice(4, 6)}`;
  const disk = `${uuid}.qcow2`;
  const seedVolume = `${uuid}-seed.iso`;
  const keys = hostKey && { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey };
  return {
    hostname,
    overlay: { volumeName: disk, base: { image: image.volumeName }, sizeGib: 1 },
    seed: {
      volumeName: seedVolume,
      userData: { hostname, ...(keys && { ssh_keys: keys, ssh_deletekeys: true }) },
      metaData: { 'instance-id': uuid, 'local-hostname': hostname },
      networkConfig: {
        version: 2,
        ethernets: {
          primary: {
            match: { macaddress: mac },
            addresses: [`${network.address}/${network.prefixLength}`],
            routes: [{ to: '0.0.0.0/0', via: network.gateway }],
          },
        },
      },
    },
    domain: {
      uuid,
      name: hostname,
      serverId: newId(),
      vcpus: 1,
      memoryMib: 192,
      diskVolume: disk,
      seedVolume,
      mac,
      ipv4: network.address,
      ...OUR_DEVICES,
    },
  };
}
