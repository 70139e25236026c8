import type { EntityManager } from 'typeorm';

/** A document's place in its series: `INV-` and 17. */
export interface DocumentNumber {
  readonly series: string;
  readonly number: number;
}

/**
 * The next number of a series. It is counted in the caller's transaction, so that a number is taken by a document or by
 * nobody; others who want one wait until that transaction ends: ask for it last.
 */
export async function nextNumber(manager: EntityManager, series: string): Promise<DocumentNumber> {
  const [row] = await manager.query<{ number: number }[]>(
    `INSERT INTO document_series AS s (series, last_number) VALUES ($1, 1)
     ON CONFLICT (series) DO UPDATE SET last_number = s.last_number + 1 RETURNING last_number AS number`,
    [series],
  );
  if (!row) throw new Error(`no number of series ${series}`);
  return { series, number: row.number };
}

/** As people read it: `INV-000017`. */
export function formatNumber({ series, number }: DocumentNumber): string {
  return `${series}${String(number).padStart(6, '0')}`;
}
