import type { DataSource } from 'typeorm';
import { createDataSource, type DatabaseOptions, migrate } from '#libs/database';
import { stopDaemon } from '../../apps/cli/services/daemon.ts';
import { ensurePostgres, superuserUrl } from '../../apps/cli/services/postgres.ts';
import { asSuperuser } from '../support/superuser.ts';
import { withBenchFolder } from './bench-folder.ts';

interface BenchDatabaseOptions extends DatabaseOptions {
  /** Beyond those of `up`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Gives `work` an empty database with our schema, on a private PostgreSQL with the settings of `up`. */
export function withBenchDatabase(
  { settings = {}, ...connecting }: BenchDatabaseOptions,
  work: (dataSource: DataSource, url: string) => Promise<void>,
): Promise<void> {
  return withBenchFolder(async ({ path: folder, atEnd }) => {
    atEnd(() => stopDaemon(folder, 'postgres'));
    const url = await ensurePostgres({ folder, settings });
    // A bench may begin each round with a checkpoint, so that no side pays for what the other has written.
    await asSuperuser({ superuserUrl: await superuserUrl(folder) }, (manager) =>
      manager.query('GRANT pg_checkpoint TO servery'),
    );
    const dataSource = await createDataSource(url, connecting).initialize();
    try {
      await migrate(dataSource);
      await work(dataSource, url);
    } finally {
      await dataSource.destroy();
    }
  });
}
