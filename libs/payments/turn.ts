import type { EntityManager } from 'typeorm';
import type { EventSubject } from './port.ts';

/**
 * Whoever looks at an object of the provider and writes what follows takes turns until the transaction ends, so that
 * what was seen first is not written last. Take it before you look, and before any lock of the books.
 */
export async function takeTurn(
  manager: EntityManager,
  { kind, id }: Exclude<EventSubject, { kind: 'other' }>,
): Promise<void> {
  await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`${kind} ${id}`]);
}
