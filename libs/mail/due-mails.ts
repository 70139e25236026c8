import type { EntityManager } from 'typeorm';

/** A mail that was claimed. `tries` counts this one, and tells its claim from others. */
export interface DueMail {
  readonly id: number;
  readonly to: string;
  readonly template: string;
  readonly data: unknown;
  readonly tries: number;
  /** Whether it is too late to send it. */
  readonly isLate: boolean;
}

const FIRST_PAUSE_SECONDS = 30;
const LONGEST_PAUSE_SECONDS = 3600;

/** The seconds until a mail is tried again after its `tries`th failure: each twice the one before, an hour at most. */
export function pauseAfter(tries: number): number {
  return Math.min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (tries - 1));
}

/** Takes mails that are due, each for one sender: it is due again after `leaseSeconds` unless its end is recorded. */
export async function claimDue(
  manager: EntityManager,
  { limit, leaseSeconds }: { readonly limit: number; readonly leaseSeconds: number },
): Promise<DueMail[]> {
  const [claimed] = await manager.query<[DueMail[], number]>(
    `UPDATE mails SET due_at = now() + make_interval(secs => $2), tries = tries + 1
     WHERE id IN (SELECT id FROM mails WHERE sent_at IS NULL AND given_up_at IS NULL AND due_at <= now()
                  ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
     RETURNING id, recipient AS "to", template, data, tries, give_up_at < now() AS "isLate"`,
    [limit, leaseSeconds],
  );
  return claimed;
}

/** Whoever sent it: it is sent. */
export async function recordSent(manager: EntityManager, { id }: DueMail): Promise<void> {
  await manager.query(
    `UPDATE mails SET sent_at = coalesce(sent_at, now()), given_up_at = NULL, last_error = NULL WHERE id = $1`,
    [id],
  );
}

/**
 * Tries it again later, unless it failed for good or would then be too late. Does nothing when somebody else has
 * claimed it since.
 *
 * @returns whether it is given up.
 */
export async function recordFailure(
  manager: EntityManager,
  { id, tries }: DueMail,
  { error, isFinal }: { readonly error: string; readonly isFinal: boolean },
): Promise<boolean> {
  const [changed] = await manager.query<[{ isGivenUp: boolean }[], number]>(
    `UPDATE mails SET last_error = $3, due_at = now() + make_interval(secs => $4),
            given_up_at = CASE WHEN $5 OR give_up_at < now() + make_interval(secs => $4) THEN now() END
     WHERE id = $1 AND tries = $2 AND sent_at IS NULL
     RETURNING given_up_at IS NOT NULL AS "isGivenUp"`,
    [id, tries, error, pauseAfter(tries), isFinal],
  );
  return changed[0]?.isGivenUp ?? false;
}

/** A mail that nobody will get. */
export interface LostMail {
  readonly id: number;
  readonly accountId: number | null;
  readonly template: string;
  readonly error: string | null;
}

/** The mails that were given up in the last days, the latest first. */
export function mailsGivenUp(
  manager: EntityManager,
  { days, limit }: { readonly days: number; readonly limit: number },
): Promise<LostMail[]> {
  return manager.query(
    `SELECT id, account_id AS "accountId", template, last_error AS error FROM mails
     WHERE given_up_at > now() - make_interval(days => $1) ORDER BY given_up_at DESC LIMIT $2`,
    [days, limit],
  );
}
