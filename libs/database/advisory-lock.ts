import type { DataSource } from 'typeorm';

/**
 * Does work that one process at a time may do, whichever has come first; nothing while another one is at it. A process that
 * dies lets go of it, for the lock is its connection's.
 * @param key names the work among PostgreSQL's advisory locks: any constant
 */
export async function runAlone(
  dataSource: DataSource,
  key: number,
  work: () => Promise<void>,
): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    const [lock]: { taken: boolean }[] = await runner.query('SELECT pg_try_advisory_lock($1) AS taken', [
      key,
    ]);
    if (!lock?.taken) return;
    try {
      await work();
    } finally {
      await runner.query('SELECT pg_advisory_unlock($1)', [key]);
    }
  } finally {
    await runner.release();
  }
}
