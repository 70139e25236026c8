import type { EntityManager } from 'typeorm';
import { BackupPlan, WINDOW_BEGINS } from './backup-plan.entity.ts';
import { ServersError } from './servers.errors.ts';

/** As many as there are; Hetzner's number. */
export const BACKUP_SLOTS = 7;
const WINDOW_MINUTES = 4 * 60;
const DAY_MILLISECONDS = 86_400_000;
const RETRY_HOURS = 1;

/** What an owner says of a plan; what is missing stays, or is chosen. */
export type PlanChange = Partial<Pick<BackupPlan, 'windowBeginsHour' | 'weekday' | 'keep'>>;

/** A server's plan as it becomes by a change. A window that nobody chose is one of all, by the server's id. */
export function changedPlan(
  serverId: number,
  known: BackupPlan | null,
  change: PlanChange,
  now: Date,
): BackupPlan {
  const drawn = WINDOW_BEGINS[serverId % WINDOW_BEGINS.length] ?? WINDOW_BEGINS[0];
  const plan = {
    serverId,
    windowBeginsHour: change.windowBeginsHour ?? known?.windowBeginsHour ?? drawn,
    weekday: change.weekday === undefined ? (known?.weekday ?? null) : change.weekday,
    keep: change.keep ?? known?.keep ?? BACKUP_SLOTS,
  };
  return { ...plan, nextDueAt: nextBackupAt(plan, now), noneSince: now };
}

/**
 * The next moment of a plan after another. Servers have their minutes all over the window, each always the same one, so
 * that a host does not make all its backups at once.
 */
export function nextBackupAt(
  { serverId, windowBeginsHour, weekday }: Pick<BackupPlan, 'serverId' | 'windowBeginsHour' | 'weekday'>,
  after: Date,
): Date {
  const midnight = Math.floor(after.getTime() / DAY_MILLISECONDS) * DAY_MILLISECONDS;
  const minute = windowBeginsHour * 60 + (serverId % WINDOW_MINUTES);
  // Yesterday's window may reach into today; a week from today begins the last one that can be next.
  for (let day = -1; day <= 7; day++) {
    const begins = new Date(midnight + day * DAY_MILLISECONDS);
    const due = new Date(begins.getTime() + minute * 60_000);
    if (due > after && (weekday === null || begins.getUTCDay() === weekday)) return due;
  }
  throw new Error(`no day of a week is weekday ${weekday}`);
}

/** @throws ServersError `backups_not_enabled` */
export async function assertBackedUp(manager: EntityManager, serverId: number): Promise<void> {
  if (await manager.getRepository(BackupPlan).existsBy({ serverId })) return;
  throw new ServersError('backups_not_enabled', 'the server has no backups: enable them first');
}

/**
 * Takes a backup that is due for this transaction's, and no other's: what was missed, and be it for days, is made up for
 * by one. The server's row is locked. @throws ServersError `backup_not_due`
 */
export async function claimBackup(manager: EntityManager, serverId: number): Promise<void> {
  const plan = await manager.getRepository(BackupPlan).findOneBy({ serverId });
  const [{ now }] = await manager.query<[{ now: Date }]>('SELECT now()');
  if (!plan || plan.nextDueAt > now)
    throw new ServersError('backup_not_due', 'it was made by another worker');
  await manager.getRepository(BackupPlan).update({ serverId }, { nextDueAt: nextBackupAt(plan, now) });
}

/** A backup was made, be it not by the plan. */
export async function noteBackedUp(manager: EntityManager, imageId: number): Promise<void> {
  await manager.query(
    `UPDATE backup_plans p SET none_since = greatest(p.none_since, i.created_at)
     FROM images i WHERE i.id = $1 AND i.type = 'backup' AND p.server_id = i.server_id`,
    [imageId],
  );
}

/** A backup of the plan came to nothing; the next try is not left to the next window. */
export async function retryBackup(manager: EntityManager, imageId: number): Promise<void> {
  await manager.query(
    `UPDATE backup_plans p SET next_due_at = least(next_due_at, now() + make_interval(hours => $2))
     FROM images i WHERE i.id = $1 AND i.made_by = 'plan' AND p.server_id = i.server_id`,
    [imageId, RETRY_HOURS],
  );
}
