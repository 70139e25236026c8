import type { EntityManager } from 'typeorm';
import { DUNNING_STEPS, type DunningSettings, daysOf, NOTICE_HOURS } from './dunning-ladder.ts';

type Row = DunningSettings['days'] & Pick<DunningSettings, 'retryHours'>;

const COLUMNS: Readonly<Record<keyof Row, string>> = {
  retryHours: 'retry_hours',
  first_warning: 'first_warning_days',
  last_warning: 'last_warning_days',
  suspension: 'suspension_days',
  soft_deletion: 'soft_deletion_days',
  purge: 'purge_days',
};

const SELECTED = Object.entries(COLUMNS)
  .map(([name, column]) => `${column} AS "${name}"`)
  .join(', ');

export async function dunningSettings(manager: EntityManager): Promise<DunningSettings> {
  const [row] = await manager.query<Row[]>(`SELECT ${SELECTED} FROM billing_settings`);
  if (!row) throw new Error('billing_settings has lost its row');
  const { retryHours, ...days } = row;
  return { retryHours, days };
}

/**
 * Changes what is named and leaves the rest. Steps that were not taken yet move for those who are in arrears, too, in
 * the caller's transaction; none becomes due before it was announced.
 */
export async function changeDunningSettings(
  manager: EntityManager,
  change: { readonly retryHours?: number; readonly days?: Partial<DunningSettings['days']> },
): Promise<void> {
  const before = await dunningSettings(manager);
  const settings = {
    retryHours: change.retryHours ?? before.retryHours,
    days: { ...before.days, ...change.days },
  };
  const row: Row = { ...settings.days, retryHours: settings.retryHours };
  const names = Object.keys(COLUMNS) as (keyof Row)[];
  const assignments = names.map((name, index) => `${COLUMNS[name]} = $${index + 1}`).join(', ');
  await manager.query(
    `UPDATE billing_settings SET ${assignments}`,
    names.map((name) => row[name]),
  );
  await manager.query(
    `UPDATE arrears a
     SET next_at = greatest(a.since + make_interval(days => next.days), s.taken_at + make_interval(hours => $3))
     FROM arrears_steps s JOIN unnest($1::text[], $2::int[]) AS next (after, days) ON next.after = s.step
     WHERE s.arrears_id = a.id AND s.step = a.step AND a.closed_at IS NULL`,
    [DUNNING_STEPS.slice(0, -1), DUNNING_STEPS.slice(1).map((step) => daysOf(settings, step)), NOTICE_HOURS],
  );
}
