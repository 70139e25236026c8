import { exportIdOfVolume, exportsAmong } from '#libs/exports';
import { isHypervisorError } from '#libs/hypervisor';
import { HostsService, type NewFinding, toHostRef } from '#libs/placement';
import {
  frozenAmong,
  rescueOfVolume,
  rescuesAmong,
  restoreTestOfVolume,
  restoreTestsAmong,
  seedVolumeName,
} from '#libs/servers';
import { type VolumeFile, volumeFileName, volumeOfFile } from '#libs/volumes';
import { type HostWorld, isStillIdle, type KnownServer, serversById } from './host-world.ts';

/** Our volumes' names: `servery-<server>-<generation>.qcow2`, `….memory` and `…-seed.img`. */
const NAME = /^servery-(\d{1,16})-(\d{1,9})(?:\.qcow2|\.memory|-seed\.img)$/;

/** Finds volumes that no server owns; those that our own servers left behind are removed. */
export async function* reconcileVolumes(world: HostWorld): AsyncGenerator<NewFinding> {
  const volumes = await world.hypervisor.listVolumes(world.ref, 'disks');
  const named = volumes.map(({ name, allocationBytes }) => ({
    name,
    allocationBytes,
    parts: NAME.exec(name),
  }));
  const ids = named.flatMap(({ parts }) => (parts ? [Number(parts[1])] : []));
  const servers = new Map((await serversById(world.dataSource, ids)).map((server) => [server.id, server]));
  // After the servers: whoever is seen with the next generation has its former disk among the frozen ones by then.
  const frozen = await frozenAmong(
    world.dataSource.manager,
    named.map(({ name }) => name),
  );
  const passing = await passingVolumes(
    world,
    named.map(({ name }) => name),
  );
  for (const { name, allocationBytes, parts } of named) {
    const inPassing = passing.get(name);
    if (inPassing === 'needed' || frozen.has(name)) continue;
    const server = parts ? servers.get(Number(parts[1])) : undefined;
    const removed =
      inPassing === 'left'
        ? await deleteUnlessHad(world, name)
        : server !== undefined && (await removeLeft(world, server, { name, generation: Number(parts?.[2]) }));
    if (removed === 'owned') continue;
    yield {
      kind: 'orphan_volume',
      hostId: world.host.id,
      subject: name,
      details: { allocationBytes, removed },
    };
  }
}

async function removeLeft(
  world: HostWorld,
  server: KnownServer,
  { name, generation }: { readonly name: string; readonly generation: number },
): Promise<boolean | 'owned'> {
  if (isReadSeed(world, server, name)) return (await eraseSeed(world, server, name)) || 'owned';
  return isOwned(server, generation) ? 'owned' : remove(world, server, name);
}

/** A guest reads its seed at its first boot alone. What is still there was left by a workflow that was given up. */
function isReadSeed({ host }: HostWorld, server: KnownServer, name: string): boolean {
  const isIdle = server.ready && !server.busy && !server.deleted;
  return isIdle && server.hostId === host.id && name === seedVolumeName(server);
}

/** False where its guest still has it, empty: it goes with the server's disk at the latest. */
async function eraseSeed(world: HostWorld, server: KnownServer, name: string): Promise<boolean> {
  if (world.heldSeeds.has(name) || !(await isStillIdle(world.dataSource, server))) return false;
  const detachment = await world.hypervisor.detachSeed(world.ref, server.uuid, name);
  if (detachment === 'held') world.heldSeeds.add(name);
  return detachment === 'released';
}

/** Which host the server is on says nothing: several hosts may show one and the same network storage. */
function isOwned(server: KnownServer, generation: number): boolean {
  return server.busy || (!server.deleted && server.generation === generation);
}

/** False where it was better left: a workflow has begun meanwhile, or a domain has the volume. */
async function remove(world: HostWorld, server: KnownServer, name: string): Promise<boolean> {
  return (await isStillIdle(world.dataSource, server)) && (await deleteUnlessHad(world, name));
}

async function deleteUnlessHad({ hypervisor, ref }: HostWorld, name: string): Promise<boolean> {
  try {
    await hypervisor.deleteVolume(ref, name);
    return true;
  } catch (error) {
    if (isHypervisorError(error, 'volume_in_use')) return false;
    throw error;
  }
}

/**
 * What exports, tests of backups, rescue systems and owners have on the host: `needed` while they are at work, or kept,
 * `left` when they have ended, or were deleted, which is for good. By the rows as they are after the volumes were listed.
 */
async function passingVolumes(
  world: HostWorld,
  names: readonly string[],
): Promise<ReadonlyMap<string, 'needed' | 'left'>> {
  return new Map([
    ...(await exportVolumes(world, names)),
    ...(await testVolumes(world, names)),
    ...(await rescueVolumes(world, names)),
    ...(await ownersVolumes(world, names)),
  ]);
}

interface OwnersVolume extends VolumeFile {
  readonly hostId: number | null;
  readonly hasData: boolean;
  readonly kept: boolean;
  readonly busy: boolean;
}

/**
 * Where a volume has its room says nothing: several hosts may show one and the same network storage. Other copies than its
 * own are of workflows that bring it somewhere, or brought it and were cut off. They are left only where its own is seen:
 * a backup of the database from before it was brought, once restored, knows a copy that is no more.
 */
async function ownersVolumes(world: HostWorld, names: readonly string[]) {
  const files = names.flatMap((name) => volumeOfFile(name) ?? []);
  const known = await world.dataSource.query<OwnersVolume[]>(
    `SELECT v.id, v.copy_id AS "copyId", v.host_id AS "hostId", v.has_data AS "hasData",
            v.deleted_at IS NULL AS kept,
            EXISTS (SELECT FROM actions a WHERE a.volume_id = v.id AND a.status = 'running')
            OR EXISTS (SELECT FROM sagas g WHERE g.subject_type = 'server' AND g.subject_id = v.server_id
                       AND g.finished_at IS NULL) AS busy
     FROM volumes v WHERE v.id = ANY($1)`,
    [files.map(({ id }) => id)],
  );
  const said: [string, 'needed' | 'left'][] = [];
  for (const file of files) {
    const volume = known.find(({ id }) => id === file.id);
    if (volume) said.push([volumeFileName(file), await stateOf(world, volume, file, names)]);
  }
  return said;
}

async function stateOf(
  world: HostWorld,
  volume: OwnersVolume,
  { copyId }: VolumeFile,
  names: readonly string[],
): Promise<'needed' | 'left'> {
  if (volume.busy) return 'needed';
  if (!volume.kept) return 'left';
  if (volume.copyId === copyId) return 'needed';
  return volume.hasData && !(await isSeen(world, volume, names)) ? 'needed' : 'left';
}

/** Whether a volume's own file is among these, or where its room is. A host that does not answer shows nothing. */
async function isSeen(
  { dataSource, hypervisor, host }: HostWorld,
  volume: OwnersVolume,
  names: readonly string[],
) {
  const name = volumeFileName(volume);
  if (names.includes(name)) return true;
  if (volume.hostId === null || volume.hostId === host.id) return false;
  try {
    const other = toHostRef(await new HostsService(dataSource).get(volume.hostId));
    return (await hypervisor.listVolumes(other, 'disks')).some((one) => one.name === name);
  } catch (error) {
    if (isHypervisorError(error)) return false;
    throw error;
  }
}

async function rescueVolumes({ dataSource }: HostWorld, names: readonly string[]) {
  const named = names.flatMap((name) => {
    const id = rescueOfVolume(name);
    return id === undefined ? [] : [{ name, id }];
  });
  const known = await rescuesAmong(
    dataSource.manager,
    named.map(({ id }) => id),
  );
  const needed = new Map(known.map(({ id, isNeeded }) => [id, isNeeded]));
  return named
    .filter(({ id }) => needed.has(id))
    .map(({ name, id }) => [name, needed.get(id) ? 'needed' : 'left'] as const);
}

async function testVolumes({ dataSource }: HostWorld, names: readonly string[]) {
  const ids = new Map(names.map((name) => [restoreTestOfVolume(name), name]));
  const known = await restoreTestsAmong(dataSource.manager, {
    ids: [...ids.keys()].filter((id) => id !== undefined),
  });
  return known.map(({ id, hasEnded }) => [ids.get(id) ?? '', hasEnded ? 'left' : 'needed'] as const);
}

async function exportVolumes(
  { dataSource }: HostWorld,
  names: readonly string[],
): Promise<ReadonlyMap<string, 'needed' | 'left'>> {
  const named = names.flatMap((name) => {
    const id = exportIdOfVolume(name);
    return id === undefined ? [] : [{ name, id }];
  });
  const known = await exportsAmong(
    dataSource.manager,
    named.map(({ id }) => id),
  );
  return new Map(
    named.flatMap(({ name, id }) => {
      const found = known.get(id);
      return found ? [[name, found.isBeingMade ? 'needed' : 'left'] as const] : [];
    }),
  );
}
