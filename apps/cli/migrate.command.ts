import type { Command } from 'commander';
import { createDataSource, migrate } from '#libs/database';

export function registerMigrate(program: Command): void {
  program
    .command('migrate')
    .description('bring the database at DATABASE_URL up to date')
    .action(async () => {
      const url = process.env.DATABASE_URL;
      if (!url) program.error('Set DATABASE_URL: postgres://user:password@host:port/name');
      const dataSource = await createDataSource(url, { applicationName: 'servery-migrate' }).initialize();
      try {
        const applied = await migrate(dataSource);
        for (const name of applied) process.stdout.write(`✔ ${name}\n`);
        if (applied.length === 0) process.stdout.write('The schema is up to date.\n');
      } finally {
        await dataSource.destroy();
      }
    });
}
