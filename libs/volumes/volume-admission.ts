import { type EntityManager, IsNull } from 'typeorm';
import { lockStanding, type SuspensionReason, standingSuspensions } from '#libs/accounts';
import { runStatements, type Statement } from '#libs/database';
import { type Devices, VOLUME_SLOTS } from '#libs/hypervisor';
import { type Server, ServersError } from '#libs/servers';
import { Volume } from './volume.entity.ts';
import { VolumesError, volumeNotFound } from './volumes.errors.ts';

/** The row of a volume of a project, locked until the transaction ends. @throws VolumesError `volume_not_found` */
export async function lockVolume(manager: EntityManager, projectId: number, id: number): Promise<Volume> {
  const volume = await manager.getRepository(Volume).findOne({
    where: { id, projectId, deletedAt: IsNull(), retiredAt: IsNull() },
    lock: { mode: 'pessimistic_write' },
  });
  if (!volume) throw volumeNotFound(id);
  return volume;
}

/**
 * The row of a volume that its owner may act on now, locked until the transaction ends. `forDeletion`: who does not pay
 * may delete.
 * @throws VolumesError `volume_not_found`, `volume_suspended`, `volume_locked`
 */
export async function admitToVolume(
  manager: EntityManager,
  projectId: number,
  id: number,
  { forDeletion = false } = {},
): Promise<Volume> {
  const volume = await lockVolume(manager, projectId, id);
  const standing = await standingSuspensions(manager, volume.accountId);
  const reasons = standing.map(({ reason }) => reason).filter((reason) => stands(reason, forDeletion));
  if (reasons.length > 0) {
    const message = 'the account is suspended: pay what is open, or answer the notice that you were sent';
    throw new VolumesError('volume_suspended', message, undefined, { reasons });
  }
  const [running] = await manager.query<{ command: string }[]>(
    `SELECT command FROM actions WHERE volume_id = $1 AND status = 'running' LIMIT 1`,
    [id],
  );
  if (!running) return volume;
  throw new VolumesError('volume_locked', `the volume is locked by a running action (${running.command})`);
}

function stands(reason: SuspensionReason, forDeletion: boolean): boolean {
  return !forDeletion || reason === 'abuse';
}

/**
 * The first free slot of a server, whose row the caller has locked.
 * @throws ServersError `server_not_ready`; VolumesError `volume_bus_unsupported`, `volume_slots_taken`
 */
export async function freeSlot(manager: EntityManager, { id, readyAt, devices }: Server): Promise<number> {
  if (!readyAt) throw new ServersError('server_not_ready', 'the server is not ready yet');
  refuseBus(devices, 'server');
  const taken = await manager.getRepository(Volume).find({ where: { serverId: id }, select: { slot: true } });
  const slots = new Set(taken.map(({ slot }) => slot));
  for (let slot = 0; slot < VOLUME_SLOTS; slot += 1) if (!slots.has(slot)) return slot;
  const message = `a server can have ${VOLUME_SLOTS} volumes: detach one first`;
  throw new VolumesError('volume_slots_taken', message, 'server', { limit: VOLUME_SLOTS });
}

/** @throws VolumesError `volume_bus_unsupported` of the field */
export function refuseBus({ diskBus }: Devices, field: string): void {
  if (diskBus === 'virtio') return;
  const message = `volumes need virtio, and this server's disk is on ${diskBus}`;
  throw new VolumesError('volume_bus_unsupported', message, field);
}

/** What an account's volumes come to, in GiB. */
export async function volumeGibOf(manager: EntityManager, accountId: number): Promise<number> {
  const [[row]] = await runStatements(manager, [volumeUsage(accountId)]);
  return row?.gib ?? 0;
}

/**
 * Whether the account may have so much more, decided for one request of an account at a time until the transaction ends.
 * @throws VolumesError `volume_limit_exceeded`
 */
export async function admitVolumeGib(
  manager: EntityManager,
  accountId: number,
  asked: number,
): Promise<void> {
  const statements = [lockStanding(accountId), volumeUsage(accountId)] as const;
  const [[standing], [usage]] = await runStatements(manager, statements);
  if (!standing || !usage) throw new Error(`there is no account ${accountId}`);
  const [limit, used] = [standing.maxVolumeGib, usage.gib];
  if (used + asked <= limit) return;
  const message = `this account may have ${limit} GB of volumes; ${used} are used and ${asked} more were asked for`;
  throw new VolumesError('volume_limit_exceeded', message, 'size', { limit, used, asked });
}

function volumeUsage(accountId: number): Statement<{ readonly gib: number }> {
  return {
    // What is becoming larger has its room already.
    text: `SELECT coalesce(sum(greatest(v.size_gib, r.disk_gib)), 0)::int AS gib
           FROM volumes v LEFT JOIN reservations r ON r.server_id = v.id
           WHERE v.account_id = $1 AND v.deleted_at IS NULL`,
    values: [accountId],
  };
}
