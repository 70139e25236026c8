import { ensurePostgres } from '../services/postgres.ts';
import type { Step } from './step.ts';

export const postgresStep: Step = {
  title: 'PostgreSQL',
  log: 'postgres',
  async run(up) {
    const given = process.env.DATABASE_URL;
    up.databaseUrl = given || (await ensurePostgres({ folder: up.folder }));
    return `${given ? 'from DATABASE_URL' : 'private'}, at ${new URL(up.databaseUrl).host}`;
  },
};
