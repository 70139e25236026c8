import type { DomainFacts } from '#libs/hypervisor';
import type { NewFinding } from '#libs/placement';
import { attachedVolume, type VolumeFile, volumeFileName, volumeOfFile } from '#libs/volumes';
import { type HostWorld, isStillIdle, type KnownServer, serversByUuid } from './host-world.ts';

interface KnownVolume extends VolumeFile {
  readonly serverId: number | null;
  readonly slot: number | null;
  readonly hostId: number | null;
  readonly hasData: boolean;
  readonly busy: boolean;
}

/**
 * Mends what domains have of volumes where that is not what the database says: a volume is plugged into the server that has
 * it, and out of one that has not. A volume whose file is gone is reported.
 */
export async function* reconcileAttachments(world: HostWorld): AsyncGenerator<NewFinding> {
  const domains = (await world.hypervisor.listDomains(world.ref)).filter(({ ours }) => ours);
  const files = new Set((await world.hypervisor.listVolumes(world.ref, 'disks')).map(({ name }) => name));
  const seen = domains.flatMap(({ volumes }) => volumes.flatMap((name) => volumeOfFile(name)?.id ?? []));
  const known = await knownVolumes(world, seen);
  for (const volume of known) {
    if (volume.busy || volume.hostId !== world.host.id || !volume.hasData) continue;
    const name = volumeFileName(volume);
    if (files.has(name)) continue;
    yield { kind: 'volume_missing', hostId: world.host.id, subject: name, details: { volumeId: volume.id } };
  }
  if (known.length === 0) return;
  const uuids = domains.map(({ uuid }) => uuid);
  const servers = new Map(
    (await serversByUuid(world.dataSource, uuids)).map((server) => [server.uuid, server]),
  );
  for (const domain of domains) {
    const server = servers.get(domain.uuid);
    if (!server || server.deleted || server.busy || server.hostId !== world.host.id) continue;
    yield* mendDomain(world, domain, server, { known, files });
  }
}

async function* mendDomain(
  world: HostWorld,
  domain: DomainFacts,
  server: KnownServer,
  { known, files }: { readonly known: readonly KnownVolume[]; readonly files: ReadonlySet<string> },
): AsyncGenerator<NewFinding> {
  const { hypervisor, ref } = world;
  for (const volume of known.filter(({ busy }) => !busy)) {
    const name = volumeFileName(volume);
    const [has, should] = [domain.volumes.includes(name), volume.serverId === server.id];
    if (has === should || (should && !files.has(name))) continue;
    if (!(await isStillIdle(world.dataSource, server)) || !(await isAsSeen(world, volume))) continue;
    if (should) await hypervisor.attachVolume(ref, domain.uuid, attachedVolume(volume, volume.slot ?? 0));
    else await hypervisor.detachVolume(ref, domain.uuid, name);
    const details = { serverId: server.id, volumeId: volume.id, mended: should ? 'attached' : 'detached' };
    yield { kind: 'volume_misplaced', hostId: world.host.id, subject: name, details };
  }
}

const COLUMNS = `v.id, v.copy_id AS "copyId", v.server_id AS "serverId", v.slot, v.host_id AS "hostId", v.has_data AS "hasData",
  EXISTS (SELECT FROM actions a WHERE a.volume_id = v.id AND a.status = 'running') AS busy`;

/** Those that domains here have, those that servers here have, and those whose room is here. */
function knownVolumes({ dataSource, host }: HostWorld, ids: readonly number[]): Promise<KnownVolume[]> {
  return dataSource.query(
    `SELECT ${COLUMNS} FROM volumes v LEFT JOIN servers s ON s.id = v.server_id
     WHERE v.id = ANY($1) OR (v.deleted_at IS NULL AND $2 IN (s.host_id, v.host_id)) ORDER BY v.id`,
    [ids, host.id],
  );
}

/** Asked again right before anything is mended: it may have been given away since it was looked at. */
async function isAsSeen({ dataSource }: HostWorld, { id, serverId }: KnownVolume): Promise<boolean> {
  const [now] = await dataSource.query<KnownVolume[]>(`SELECT ${COLUMNS} FROM volumes v WHERE v.id = $1`, [
    id,
  ]);
  return now !== undefined && !now.busy && now.serverId === serverId;
}
