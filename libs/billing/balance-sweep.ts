import type { EntityManager } from 'typeorm';

/** How far the sweep over the movements of the balance has come. */
export interface BalanceSweep {
  /** Every movement before it is known; null before the first sweep has ended. */
  readonly sweptTo: Date | null;
  /** A sweep that is under way: when it began, from when on it looks, and the movement that it saw last. */
  readonly beganAt: Date | null;
  readonly since: Date | null;
  readonly after: string | null;
}

/** Takes the sweep until the transaction ends: who comes second goes on where the first one stood. */
export async function takeBalanceSweep(manager: EntityManager): Promise<BalanceSweep> {
  const [row] = await manager.query<BalanceSweep[]>(
    `SELECT swept_to AS "sweptTo", began_at AS "beganAt", since, last_seen AS after FROM balance_sweep FOR UPDATE`,
  );
  if (!row) throw new Error('the row of the sweep over the balance is missing');
  return row;
}

export async function noteBalanceSweep(manager: EntityManager, sweep: BalanceSweep): Promise<void> {
  await manager.query('UPDATE balance_sweep SET swept_to = $1, began_at = $2, since = $3, last_seen = $4', [
    sweep.sweptTo,
    sweep.beganAt,
    sweep.since,
    sweep.after,
  ]);
}
