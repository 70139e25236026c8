import type { EntityManager } from 'typeorm';
import { newId } from '#libs/kernel';

/** Why an account is suspended. Each reason stands and is lifted alone. */
export type SuspensionReason = 'billing' | 'abuse' | 'operator';

export interface Suspension {
  readonly id: number;
  readonly reason: SuspensionReason;
  /** What is wrong, for the customer; may be empty. */
  readonly note: string;
  readonly since: Date;
}

/**
 * Suspends an account for a reason, unless it is so already. Its servers follow: see `ServerSuspensions`.
 * @returns the suspension that began; undefined when the reason stood before
 */
export async function suspendAccount(
  manager: EntityManager,
  suspended: {
    readonly accountId: number;
    readonly reason: SuspensionReason;
    readonly at: Date;
    readonly note?: string;
  },
): Promise<Suspension | undefined> {
  const [suspension] = await manager.query<Suspension[]>(
    `INSERT INTO account_suspensions (id, account_id, reason, note, since) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (account_id, reason) WHERE lifted_at IS NULL DO NOTHING RETURNING id, reason, note, since`,
    [newId(), suspended.accountId, suspended.reason, suspended.note ?? '', suspended.at],
  );
  return suspension;
}

/** Lifts one reason; others stand. @returns the suspension that ended; undefined when the reason did not stand */
export async function liftSuspension(
  manager: EntityManager,
  lifted: { readonly accountId: number; readonly reason: SuspensionReason; readonly at: Date },
): Promise<Suspension | undefined> {
  const [[suspension]] = await manager.query<[Suspension[], number]>(
    `UPDATE account_suspensions SET lifted_at = greatest(since, $3::timestamptz)
     WHERE account_id = $1 AND reason = $2 AND lifted_at IS NULL RETURNING id, reason, note, since`,
    [lifted.accountId, lifted.reason, lifted.at],
  );
  return suspension;
}

/** The reasons for which an account is suspended now, the oldest first; none when it is not. */
export async function standingSuspensions(
  manager: EntityManager,
  accountId: number,
): Promise<readonly Suspension[]> {
  return manager.query<Suspension[]>(
    `SELECT id, reason, note, since FROM account_suspensions
     WHERE account_id = $1 AND lifted_at IS NULL ORDER BY since, id`,
    [accountId],
  );
}

/** Whether what a project has may be evidence of abuse, which nobody but the operator lets go. */
export async function isEvidence(manager: EntityManager, projectId: number): Promise<boolean> {
  const standing = await manager.query<unknown[]>(
    `SELECT 1 FROM account_suspensions s JOIN projects p USING (account_id)
     WHERE p.id = $1 AND s.reason = 'abuse' AND s.lifted_at IS NULL`,
    [projectId],
  );
  return standing.length > 0;
}
