import type { NewFinding } from '#libs/placement';
import { type HostWorld, type KnownServer, serversById } from './host-world.ts';

/** Our volumes' names: `servery-<server>-<generation>.qcow2` and `…-seed.img`. */
const NAME = /^servery-(\d{1,16})-(\d{1,9})(?:\.qcow2|-seed\.img)$/;

/** Finds volumes that no server owns; those of our own deleted servers are removed. */
export async function reconcileVolumes(world: HostWorld): Promise<NewFinding[]> {
  const volumes = await world.hypervisor.listVolumes(world.ref, 'disks');
  const named = volumes.map(({ name, allocationBytes }) => ({
    name,
    allocationBytes,
    parts: NAME.exec(name),
  }));
  const ids = named.flatMap(({ parts }) => (parts ? [Number(parts[1])] : []));
  const servers = new Map((await serversById(world.dataSource, ids)).map((server) => [server.id, server]));
  const found: NewFinding[] = [];
  for (const { name, allocationBytes, parts } of named) {
    const server = parts ? servers.get(Number(parts[1])) : undefined;
    if (server && isOwned(world, server, Number(parts?.[2]))) continue;
    if (server) await world.hypervisor.deleteVolume(world.ref, name);
    found.push({
      kind: 'orphan_volume',
      hostId: world.host.id,
      subject: name,
      details: { allocationBytes, removed: server !== undefined },
    });
  }
  return found;
}

function isOwned(world: HostWorld, server: KnownServer, generation: number): boolean {
  if (server.busy) return true;
  return !server.deleted && server.hostId === world.host.id && server.generation === generation;
}
