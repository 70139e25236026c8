import { Client } from 'pg';
import type { Guest } from '../../test/catalog/guest.ts';
import { eventually, type Use } from '../../test/catalog/use.ts';

/** The owner keeps rows by TLS with the password that was handed over; nobody does with another, or without TLS. */
export const use: Use = async (guest) => {
  const password = guest.secrets.database_password ?? '';
  await eventually(() => ask(guest, { password, ssl: true }, 'SELECT 1'));
  const made =
    'CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n; SELECT count(*)::int AS n FROM kept';
  const rows = await ask(guest, { password, ssl: true }, made);
  if (rows !== 1000) throw new Error(`the table holds ${rows} rows`);
  await assertRefused(guest, { password: 'another', ssl: true });
  await assertRefused(guest, { password, ssl: false });
  await guest.must('! ls /etc/servery/secrets/database_password');
};

interface Way {
  readonly password: string;
  readonly ssl: boolean;
}

async function ask(guest: Guest, { password, ssl }: Way, statement: string): Promise<number | undefined> {
  const where = { host: '127.0.0.1', port: guest.portFor(5432), user: 'app', database: 'app' };
  const client = new Client({ ...where, password, ssl: ssl && { rejectUnauthorized: false } });
  await client.connect();
  try {
    const results = [await client.query<{ n: number }>(statement)].flat();
    return results.at(-1)?.rows[0]?.n;
  } finally {
    await client.end();
  }
}

async function assertRefused(guest: Guest, way: Way): Promise<void> {
  const outcome = await ask(guest, way, 'SELECT 1').catch((error: Error) => error);
  if (!(outcome instanceof Error)) throw new Error(`somebody got in: ${JSON.stringify({ ssl: way.ssl })}`);
}
