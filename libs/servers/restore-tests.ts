import type { EntityManager } from 'typeorm';
import type { RestoreCheck } from '#libs/images';
import { type MailData, queueMailToHolder } from '#libs/mail';
import type { FindingsService } from '#libs/placement';
import type { RestoreTest } from './restore-test.entity.ts';

/** What a test showed. `failure` is a sentence for the backup's owner; null: it can be started from. */
export interface RestoreVerdict {
  readonly failure: string | null;
  /** What was found in order, and all that was looked at where nothing failed. */
  readonly checks: readonly RestoreCheck[];
}

const FINDING = 'backup_not_restorable';

/**
 * Notes on the image what a test has shown, in the transaction that ends it. A failure is told to the operator, and to the
 * owner once for each backup; a later success closes the finding.
 */
export async function noteTested(
  manager: EntityManager,
  findings: FindingsService,
  { id, imageId, serverId }: RestoreTest,
  { failure, checks }: RestoreVerdict,
): Promise<void> {
  await endTest(manager, id, failure === null ? 'passed' : 'failed');
  await manager.query(
    'UPDATE images SET restore_tested_at = now(), restore_checks = $2, restore_failure = $3 WHERE id = $1',
    [imageId, checks, failure],
  );
  if (failure === null) return findings.resolve(manager, FINDING, [subjectOf(imageId)]);
  const details = { serverId, reason: failure };
  await findings.report({ kind: FINDING, hostId: null, subject: subjectOf(imageId), details }, manager);
  await mailOwner(manager, imageId, failure);
}

/** A test ends that says nothing about the backup: it may be tried another day. */
export function callOff(manager: EntityManager, id: number): Promise<void> {
  return endTest(manager, id, 'called_off');
}

/** Findings of backups that were deleted since are closed. */
export function forgetDeletedFailures(manager: EntityManager): Promise<unknown> {
  return manager.query(
    `UPDATE findings f SET resolved_at = now() WHERE kind = $1 AND resolved_at IS NULL AND NOT EXISTS (
       SELECT FROM images i WHERE f.subject = 'image ' || i.id AND i.deleted_at IS NULL)`,
    [FINDING],
  );
}

/** Of some tests, by their ids or their machines' UUIDs, those that are ours, each with whether it has ended. */
export async function restoreTestsAmong(
  manager: EntityManager,
  { ids = [], uuids = [] }: { readonly ids?: readonly number[]; readonly uuids?: readonly string[] },
): Promise<{ readonly id: number; readonly uuid: string; readonly hasEnded: boolean }[]> {
  return manager.query(
    `SELECT id, domain_uuid AS uuid, state <> 'running' AS "hasEnded" FROM restore_tests
     WHERE id = ANY($1::bigint[]) OR domain_uuid = ANY($2::uuid[])`,
    [ids, uuids],
  );
}

async function endTest(manager: EntityManager, id: number, state: RestoreTest['state']): Promise<void> {
  await manager.query(
    `UPDATE restore_tests SET state = $2, finished_at = now() WHERE id = $1 AND state = 'running'`,
    [id, state],
  );
}

function subjectOf(imageId: number): string {
  return `image ${imageId}`;
}

async function mailOwner(manager: EntityManager, imageId: number, reason: string): Promise<void> {
  const [backup] = await manager.query<
    (MailData<'backup-not-restorable'> & { readonly accountId: number })[]
  >(
    `SELECT s.account_id AS "accountId", i.server_name AS "serverName", i.server_id AS "serverId",
            to_char(i.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS "madeAt"
     FROM images i JOIN servers s ON s.id = i.server_id WHERE i.id = $1`,
    [imageId],
  );
  if (!backup) return;
  const { accountId, ...of } = backup;
  const cause = `backup ${imageId} not restorable`;
  const data = { ...of, reason };
  await queueMailToHolder(manager, { cause, accountId, template: 'backup-not-restorable', data });
}
