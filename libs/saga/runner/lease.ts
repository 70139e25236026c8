import type { DataSource, EntityManager } from 'typeorm';
import { LeaseLost } from '../saga.errors.ts';
import { SAGA_COLUMNS, type SagaRow } from '../saga.record.ts';

/** The proof that this process owns a saga: each claim makes a higher token, and only the highest may write. */
export interface Lease {
  readonly sagaId: number;
  readonly token: number;
  /** Aborts with `LeaseLost` when another process has taken over, or when it may have. */
  readonly lost: AbortController;
}

export interface Claim {
  readonly row: SagaRow;
  readonly lease: Lease;
}

/** A saga's row as it stands under its lock, and the seconds since its step began by the database's clock. */
export type LockedRow = SagaRow & { readonly step_seconds: number };

/**
 * Due, not leased, known to this worker, and first in line for its subject. `$1` is the saga's id or null for any.
 */
const CLAIM = `
  WITH due AS (
    SELECT s.id, s.lease_owner, s.step, s.direction, s.tries, s.updated_at FROM sagas s
    WHERE s.finished_at IS NULL AND s.wake_at <= now() AND (s.lease_until IS NULL OR s.lease_until < now())
      AND s.name = ANY($2) AND ($1::bigint IS NULL OR s.id = $1::bigint)
      AND (s.subject_type IS NULL OR NOT EXISTS (
        SELECT 1 FROM sagas earlier
        WHERE earlier.subject_type = s.subject_type AND earlier.subject_id = s.subject_id
          AND earlier.finished_at IS NULL AND earlier.seq < s.seq))
    ORDER BY s.wake_at FOR UPDATE OF s SKIP LOCKED LIMIT 1
  ), interrupted AS (
    INSERT INTO saga_steps (saga_id, step, direction, try, outcome, duration_milliseconds, worker)
    SELECT id, step, direction, tries, 'interrupted',
           least(2147483647, 1000 * extract(epoch FROM now() - updated_at))::integer, lease_owner
    FROM due WHERE lease_owner IS NOT NULL
  )
  UPDATE sagas SET lease_owner = $3, lease_token = sagas.lease_token + 1,
    lease_until = now() + make_interval(secs => $4), tries = sagas.tries + 1, version = version + 1,
    step_started_at = coalesce(step_started_at, now()), updated_at = now()
  FROM due WHERE sagas.id = due.id RETURNING ${SAGA_COLUMNS}`;

/** Takes leases, keeps them while their sagas run, and tells their holders when they are lost. */
export class LeaseKeeper {
  private readonly held = new Map<number, { lease: Lease; safeUntil: number }>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly names: readonly string[],
    private readonly owner: string,
    private readonly leaseSeconds: number,
  ) {}

  start(): void {
    this.timer = setInterval(() => void this.beat(), (this.leaseSeconds * 1000) / 3);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Claims the saga, or whichever is due first; `undefined` when there is nothing to claim. */
  async claim(sagaId?: number): Promise<Claim | undefined> {
    const asked = performance.now();
    const [rows]: [SagaRow[], number] = await this.dataSource.query(CLAIM, [
      sagaId ?? null,
      this.names,
      this.owner,
      this.leaseSeconds,
    ]);
    const [row] = rows;
    if (!row) return undefined;
    const lease = { sagaId: row.id, token: row.lease_token, lost: new AbortController() };
    this.held.set(row.id, { lease, safeUntil: asked + this.leaseSeconds * 1000 });
    return { row, lease };
  }

  /** Stops renewing. The row itself was released by the last recorded move, or its lease runs out. */
  forget(lease: Lease): void {
    if (this.held.get(lease.sagaId)?.lease === lease) this.held.delete(lease.sagaId);
  }

  /** Undoes a claim that nothing was done with. */
  async giveBack(lease: Lease): Promise<void> {
    this.forget(lease);
    await this.dataSource.query(
      `UPDATE sagas SET lease_owner = NULL, lease_until = NULL, tries = tries - 1
       WHERE id = $1 AND lease_token = $2`,
      [lease.sagaId, lease.token],
    );
  }

  /** @throws LeaseLost unless the lease is still ours in the database at this moment. */
  async confirm(lease: Lease): Promise<void> {
    const rows: unknown[] = await this.dataSource.query(
      'SELECT 1 FROM sagas WHERE id = $1 AND lease_token = $2 AND lease_until > now()',
      [lease.sagaId, lease.token],
    );
    if (rows.length === 0) throw this.lose(lease);
  }

  lose(lease: Lease): LeaseLost {
    const lost = new LeaseLost(lease.sagaId);
    lease.lost.abort(lost);
    this.forget(lease);
    return lost;
  }

  /** Renews all leases in one statement; a row that is locked is being written by its own holder, so it is skipped. */
  private async beat(): Promise<void> {
    const asked = performance.now();
    // A database that has gone silent fails no query.
    for (const { lease, safeUntil } of this.held.values()) if (asked > safeUntil) this.lose(lease);
    const held = [...this.held.values()];
    if (held.length === 0) return;
    try {
      const ids = held.map(({ lease }) => lease.sagaId);
      const tokens = held.map(({ lease }) => lease.token);
      const owned = await this.renew(ids, tokens);
      for (const entry of held) {
        if (owned.has(entry.lease.sagaId)) entry.safeUntil = asked + this.leaseSeconds * 1000;
        else if (this.held.get(entry.lease.sagaId) === entry) this.lose(entry.lease);
      }
    } catch {
      for (const { lease, safeUntil } of held) if (performance.now() > safeUntil) this.lose(lease);
    }
  }

  private async renew(ids: number[], tokens: number[]): Promise<Set<number>> {
    await this.dataSource.query(
      `WITH mine AS (
         SELECT s.id FROM sagas s JOIN unnest($1::bigint[], $2::bigint[]) AS held (id, token)
           ON s.id = held.id AND s.lease_token = held.token
         WHERE s.lease_owner IS NOT NULL FOR UPDATE OF s SKIP LOCKED)
       UPDATE sagas SET lease_until = now() + make_interval(secs => $3) FROM mine WHERE sagas.id = mine.id`,
      [ids, tokens, this.leaseSeconds],
    );
    const rows: { id: number }[] = await this.dataSource.query(
      `SELECT s.id FROM sagas s JOIN unnest($1::bigint[], $2::bigint[]) AS held (id, token)
         ON s.id = held.id AND s.lease_token = held.token`,
      [ids, tokens],
    );
    return new Set(rows.map(({ id }) => id));
  }
}

/**
 * Locks the saga's row for the rest of the transaction, if the lease's token is still the highest and a commit, which
 * may not have been heard of, has not released it. Whoever holds this lock cannot be overtaken before the commit.
 */
export async function lockOwned(manager: EntityManager, lease: Lease): Promise<LockedRow | undefined> {
  const rows: LockedRow[] = await manager.query(
    `SELECT ${SAGA_COLUMNS}, extract(epoch FROM clock_timestamp() - step_started_at)::float8 AS step_seconds
     FROM sagas WHERE id = $1 AND lease_token = $2 AND lease_owner IS NOT NULL FOR UPDATE`,
    [lease.sagaId, lease.token],
  );
  return rows[0];
}
