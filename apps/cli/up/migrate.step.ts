import { createDataSource, migrate } from '#libs/database';
import type { Step } from './step.ts';

export const migrateStep: Step = {
  title: 'Database schema',
  log: 'postgres',
  async run(up) {
    const dataSource = await createDataSource(up.databaseUrl, { applicationName: 'servery-up' }).initialize();
    try {
      const applied = await migrate(dataSource);
      return applied.length === 0 ? 'up to date' : `${applied.length} migrations applied`;
    } finally {
      await dataSource.destroy();
    }
  },
};
