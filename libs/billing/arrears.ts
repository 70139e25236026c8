import type { EntityManager } from 'typeorm';
import { newId } from '#libs/kernel';
import { lockBooks } from './billing-accounts.ts';
import { LEAST_CHARGE_MINOR } from './collections.ts';
import { DUNNING_STEPS, type DunningStep, nextDue, stepAfter } from './dunning-ladder.ts';
import { dunningSettings } from './dunning-settings.ts';
import { lockInvoice } from './invoices.ts';

/** An account that has not paid. One is open for an account at a time; those that are over are kept. */
export interface Arrears {
  readonly id: number;
  readonly accountId: number;
  /** When the first payment failed: the ladder counts from here. */
  readonly since: Date;
  /** The bank will not change its mind about any of the invoices: the same card is not tried again. */
  readonly isHard: boolean;
  /** When collecting is tried again; null when it is not. */
  readonly retryAt: Date | null;
  /** The last step that was taken; null while none was. */
  readonly step: DunningStep | null;
  /** When the next step is due; null after the last one. */
  readonly nextAt: Date | null;
  readonly closedAt: Date | null;
}

const ARREARS = `
  SELECT a.id, a.account_id AS "accountId", a.since, a.is_hard AS "isHard", a.retry_at AS "retryAt", a.step,
         a.next_at AS "nextAt", a.closed_at AS "closedAt"
  FROM arrears a`;

/** Of the arrears `a`, that something is still owed; what is too small to be charged waits for the next invoice. */
const STILL_OWED = `
  SELECT 1 FROM arrears_invoices n JOIN open_invoices o USING (invoice_id) WHERE n.arrears_id = a.id
  HAVING sum(o.open_minor) >= ${LEAST_CHARGE_MINOR}`;

/** Of the arrears `a`, that another charge than that of the invoice $6 was refused for now, and may be tried again. */
const OTHER_TO_TRY = `
  SELECT 1 FROM arrears_invoices n JOIN open_invoices o USING (invoice_id) JOIN collection_parts p USING (invoice_id)
  JOIN collections c ON c.id = p.collection_id
  WHERE n.arrears_id = a.id AND c.status = 'open' AND c.withdrawn_at IS NULL AND c.terms_days IS NULL
    AND NOT c.is_decline_final
    AND NOT EXISTS (SELECT 1 FROM collection_parts q WHERE q.collection_id = c.id AND q.invoice_id = $6)`;

/**
 * A payment of an invoice failed: its account is in arrears from now on, unless it has been since before. Nothing
 * where nothing is owed on the invoice any more. Call it in a transaction, as often as it is told.
 * @param unpaid.isHard the bank will not change its mind
 * @returns whether the account is in arrears because of it
 * @throws BillingError `invoice_not_found`
 */
export async function noteUnpaid(
  manager: EntityManager,
  unpaid: {
    readonly accountId: number;
    readonly invoiceId: number;
    readonly at: Date;
    readonly isHard: boolean;
  },
): Promise<boolean> {
  const { invoice } = await lockInvoice(manager, unpaid.invoiceId);
  if (invoice.openMinor === 0) return false;
  const { retryHours } = await dunningSettings(manager);
  const [arrears] = await manager.query<{ id: number }[]>(
    `INSERT INTO arrears AS a (id, account_id, since, is_hard, retry_at, next_at)
     VALUES ($1, $2, $3, $4, CASE WHEN $4 THEN NULL ELSE $3::timestamptz + make_interval(hours => $5) END, $3)
     ON CONFLICT (account_id) WHERE closed_at IS NULL DO UPDATE
       SET is_hard = $4 AND NOT EXISTS (${OTHER_TO_TRY}),
           retry_at = CASE WHEN NOT $4 THEN coalesce(a.retry_at, excluded.retry_at)
                           WHEN EXISTS (${OTHER_TO_TRY}) THEN a.retry_at END
     RETURNING id`,
    [newId(), invoice.accountId, unpaid.at, unpaid.isHard, retryHours, invoice.id],
  );
  await manager.query('INSERT INTO arrears_invoices VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    arrears?.id,
    invoice.id,
  ]);
  return true;
}

/**
 * An account has paid. Its arrears are over as soon as nothing that can be charged is owed on the invoices that brought it
 * there. Call it in the transaction that settled the last one, as often as it is told.
 * @returns whether they ended with this call
 */
export async function notePaid(
  manager: EntityManager,
  { accountId, at }: { readonly accountId: number; readonly at: Date },
): Promise<boolean> {
  if (!(await arrearsOf(manager, accountId))) return false;
  await lockBooks(manager, accountId, 'money');
  const [, closed] = await manager.query<[unknown, number]>(
    `UPDATE arrears a SET closed_at = greatest($2::timestamptz, since), next_at = NULL, retry_at = NULL
     WHERE account_id = $1 AND closed_at IS NULL AND NOT EXISTS (${STILL_OWED})`,
    [accountId, at],
  );
  return closed > 0;
}

/** The arrears that an account is in; undefined when it is in none. */
export async function arrearsOf(manager: EntityManager, accountId: number): Promise<Arrears | undefined> {
  const [arrears] = await manager.query<Arrears[]>(
    `${ARREARS} WHERE a.account_id = $1 AND a.closed_at IS NULL`,
    [accountId],
  );
  return arrears;
}

/** What is still owed on the invoices that brought an account into arrears, in minor units. */
export async function owedInArrears(
  manager: EntityManager,
  arrearsId: number,
): Promise<{ readonly amountMinor: number; readonly currency: string }> {
  const [owed] = await manager.query<[{ amountMinor: number; currency: string }]>(
    `SELECT coalesce(sum(o.open_minor), 0)::bigint AS "amountMinor", min(c.currency) AS currency
     FROM arrears a JOIN billing_accounts c USING (account_id)
     LEFT JOIN arrears_invoices n ON n.arrears_id = a.id
     LEFT JOIN open_invoices o USING (invoice_id)
     WHERE a.id = $1`,
    [arrearsId],
  );
  return owed;
}

/** All that is open, the oldest first. */
export async function openArrears(
  manager: EntityManager,
  page: { readonly limit: number; readonly offset?: number },
): Promise<Arrears[]> {
  return manager.query<Arrears[]>(
    `${ARREARS} WHERE a.closed_at IS NULL ORDER BY a.since, a.id LIMIT $1 OFFSET $2`,
    [page.limit, page.offset ?? 0],
  );
}

/** Accounts in arrears that owe nothing any more, whatever settled it: a credit note, a write-off, other credit. */
export async function settledArrears(manager: EntityManager): Promise<readonly number[]> {
  const rows = await manager.query<{ accountId: number }[]>(
    `SELECT a.account_id AS "accountId" FROM arrears a WHERE a.closed_at IS NULL AND NOT EXISTS (${STILL_OWED})`,
  );
  return rows.map(({ accountId }) => accountId);
}

/** Steps whose next one leaves a customer their servers. */
const BEFORE_NO_HARM = DUNNING_STEPS.slice(0, DUNNING_STEPS.indexOf('suspension') - 1);

/** Accounts whose next step is due by `now` and takes their servers from them: before that, look whether they have paid. */
export async function dueForHarm(manager: EntityManager, now: Date): Promise<readonly number[]> {
  const rows = await manager.query<{ accountId: number }[]>(
    `SELECT account_id AS "accountId" FROM arrears
     WHERE closed_at IS NULL AND next_at <= $1 AND step <> ALL($2) ORDER BY next_at LIMIT 1000`,
    [now, BEFORE_NO_HARM],
  );
  return rows.map(({ accountId }) => accountId);
}

/**
 * Takes the next step of arrears whose next one is due by `now`, in the caller's transaction, which then does what the
 * step means. A payment that comes meanwhile waits until that has ended.
 * @param lookedAt accounts that have not paid, as was seen a moment ago: only theirs are the steps that take servers
 * away; of all accounts, where it is not told
 * @returns the arrears as they are then; undefined when nothing is due, or others are at all that is
 */
export async function takeDueStep(
  manager: EntityManager,
  now: Date,
  lookedAt?: readonly number[],
): Promise<(Arrears & { readonly step: DunningStep }) | undefined> {
  const [due] = await manager.query<Arrears[]>(
    `${ARREARS} WHERE a.closed_at IS NULL AND a.next_at <= $1
       AND ($2::bigint[] IS NULL OR a.account_id = ANY($2) OR a.step IS NULL OR a.step = ANY($3))
     ORDER BY a.next_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
    [now, lookedAt ?? null, BEFORE_NO_HARM],
  );
  const step = due && stepAfter(due.step);
  if (!due || !step) return undefined;
  const settings = await dunningSettings(manager);
  const nextAt = nextDue(settings, { since: due.since, taken: step, takenAt: now });
  const retryAt = step === 'purge' ? null : due.retryAt;
  await manager.query('UPDATE arrears SET step = $2, next_at = $3, retry_at = $4 WHERE id = $1', [
    due.id,
    step,
    nextAt,
    retryAt,
  ]);
  await manager.query('INSERT INTO arrears_steps VALUES ($1, $2, $3)', [due.id, step, now]);
  return { ...due, step, nextAt, retryAt };
}

/** Who is suspended knows why, and pays by themselves. */
const SUSPENDED_RETRY_HOURS = 7 * 24;
const SUSPENDED = DUNNING_STEPS.slice(DUNNING_STEPS.indexOf('suspension'));

/**
 * Accounts whose invoices are to be collected once more by `now`; each is told once for each time. Once they are
 * suspended it is tried weekly at most: card schemes take money for more than fifteen tries in thirty days.
 */
export async function takeDueRetries(manager: EntityManager, now: Date): Promise<readonly number[]> {
  const { retryHours } = await dunningSettings(manager);
  const [rows] = await manager.query<[{ accountId: number }[], number]>(
    `UPDATE arrears SET retry_at = $1::timestamptz
       + make_interval(hours => CASE WHEN step = ANY($3) THEN $4::int ELSE $2::int END)
     WHERE closed_at IS NULL AND retry_at <= $1 RETURNING account_id AS "accountId"`,
    [now, retryHours, SUSPENDED, Math.max(retryHours, SUSPENDED_RETRY_HOURS)],
  );
  return rows.map(({ accountId }) => accountId);
}
