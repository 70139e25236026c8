import { readFile, rename, writeFile } from 'node:fs/promises';
import { LabError } from './lab.errors.ts';
import { GUEST_BRIDGE, GUEST_NETWORK, type HostLayout, type LabLayout, POOLS } from './layout.ts';

export type LabHost = Pick<HostLayout, 'name' | 'uri' | 'uuid' | 'address' | 'folder'>;

/** What a lab is, for programs: printed by `lab up --json` and kept in `lab.json` of its folder. */
export interface LabDescription {
  readonly folder: string;
  readonly network: typeof GUEST_NETWORK & { readonly bridge: string };
  readonly pools: typeof POOLS;
  /** Where the gateway listens, as SERVERY_GUEST_PROXY takes it. */
  readonly guestProxy: string;
  /** Where the relay's control listens. */
  readonly relay: string;
  /** Size of each host's own disk for its pools, GiB; null where they share the machine's disk. */
  readonly diskGib: number | null;
  readonly hosts: readonly LabHost[];
}

/** Describes a lab of these hosts. */
export function describe(
  layout: LabLayout,
  hosts: readonly HostLayout[],
  diskGib: number | undefined,
): LabDescription {
  return {
    folder: layout.folder,
    network: { ...GUEST_NETWORK, bridge: GUEST_BRIDGE },
    pools: POOLS,
    guestProxy: `unix:${layout.gatewaySocket}`,
    relay: `unix:${layout.relaySocket}`,
    diskGib: diskGib ?? null,
    hosts: hosts.map(({ name, uri, uuid, address, folder }) => ({ name, uri, uuid, address, folder })),
  };
}

/** What was saved; undefined where there is no lab. @throws LabError `bad_folder` when it cannot be read */
export async function load(layout: LabLayout): Promise<LabDescription | undefined> {
  try {
    return JSON.parse(await readFile(layout.descriptionFile, 'utf8')) as LabDescription;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new LabError(
      'bad_folder',
      `${layout.descriptionFile} cannot be read. Run: lab down --purge`,
      error,
    );
  }
}

export async function save(layout: LabLayout, description: LabDescription): Promise<void> {
  await writeFile(`${layout.descriptionFile}.part`, `${JSON.stringify(description, null, 2)}\n`);
  await rename(`${layout.descriptionFile}.part`, layout.descriptionFile);
}
