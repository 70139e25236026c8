import type { EntityManager } from 'typeorm';
import { standingSuspensions } from '#libs/accounts';
import type { Appliance } from '#libs/images';
import { exportsError } from './exports.errors.ts';

/** How many exports a project may have: being made at once, and in all, until they expire or are deleted. */
export const EXPORT_LIMITS = { creating: 2, kept: 10 } as const;

/**
 * Who does not pay may still take their data home, until their servers are deleted. What an account is suspended for
 * otherwise may be evidence, or a danger to others.
 * @throws DomainError `export_account_suspended`
 */
export async function refuseWhileInvestigated(manager: EntityManager, accountId: number): Promise<void> {
  const standing = await standingSuspensions(manager, accountId);
  const reasons = standing.map(({ reason }) => reason).filter((reason) => reason !== 'billing');
  if (reasons.length > 0) {
    const message = 'the account is suspended, and not for its bills: answer the notice that you were sent';
    throw exportsError('export_account_suspended', message, { reasons });
  }
  const [arrears] = await manager.query<unknown[]>(
    `SELECT 1 FROM arrears WHERE account_id = $1 AND closed_at IS NULL AND step IN ('soft_deletion', 'purge')`,
    [accountId],
  );
  if (!arrears) return;
  const message = 'the servers of the account are being deleted: pay the open invoices, and they are back';
  throw exportsError('export_account_suspended', message, { reasons: ['billing'] });
}

/** @throws DomainError `export_forbidden_by_licence` */
export function refuseWhereLicenceForbids({ title, licence, licenceForbids }: Appliance): void {
  if (!licenceForbids?.includes('export')) return;
  const message = `the licence of ${title} forbids to take it home: ${licence}`;
  throw exportsError('export_forbidden_by_licence', message, { licence });
}

/**
 * Whether the project may have one more, decided for one request of a project at a time until the transaction ends.
 * @returns the account that the project is of
 * @throws DomainError `export_limit_exceeded`
 */
export async function admitExport(manager: EntityManager, projectId: number): Promise<number> {
  const [project] = await manager.query<{ accountId: number }[]>(
    'SELECT account_id AS "accountId" FROM projects WHERE id = $1 FOR NO KEY UPDATE',
    [projectId],
  );
  if (!project) throw new Error(`there is no project ${projectId}`);
  const [used] = await manager.query<[{ creating: number; kept: number }]>(
    `SELECT count(*) FILTER (WHERE state = 'creating') AS creating,
            count(*) FILTER (WHERE state = 'creating' OR deleted_at IS NULL) AS kept
     FROM exports WHERE project_id = $1 AND state IN ('creating', 'available')`,
    [projectId],
  );
  if (used.creating >= EXPORT_LIMITS.creating) throw exceeded('creating', used.creating, 'wait for one');
  if (used.kept >= EXPORT_LIMITS.kept) throw exceeded('kept', used.kept, 'delete one');
  return project.accountId;
}

function exceeded(what: keyof typeof EXPORT_LIMITS, used: number, advice: string): Error {
  const limit = EXPORT_LIMITS[what];
  const had = what === 'creating' ? 'exports being made at once' : 'exports';
  const message = `a project may have ${limit} ${had}, and has ${used}: ${advice}`;
  return exportsError('export_limit_exceeded', message, { limit, used, asked: 1 });
}
