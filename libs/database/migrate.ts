import type { DataSource } from 'typeorm';

/** One lock for the whole database, so that processes which start together migrate one after another. */
const MIGRATION_LOCK = 7_370_210_401;

/**
 * Brings the schema up to date and returns the names of the migrations that it applied.
 * Safe to call from several processes at once.
 */
export async function migrate(dataSource: DataSource): Promise<string[]> {
  const lockHolder = dataSource.createQueryRunner();
  try {
    await lockHolder.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const applied = await dataSource.runMigrations();
    return applied.map((migration) => migration.name);
  } finally {
    await lockHolder.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    await lockHolder.release();
  }
}
