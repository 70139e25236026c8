import { PassThrough } from 'node:stream';
import { pinoHttp } from 'pino-http';
import { expect, it } from 'vitest';
import { testDatabase } from '../../test/support/test-database.ts';
import { loggedError } from './logged-error.ts';

const database = testDatabase({ entities: [] });

it('a query that failed is logged with what is wrong, and without what it was given', async () => {
  await database.dataSource.query('CREATE TABLE guests (email text PRIMARY KEY)');
  const insert = () => database.dataSource.query('INSERT INTO guests VALUES ($1)', ['ann@example.com']);
  await insert();
  const error = await insert().catch((cause: unknown) => cause);
  const stream = new PassThrough();
  pinoHttp({ serializers: { err: loggedError } }, stream).logger.error({ err: error }, 'it failed');
  const logged = String(stream.read());
  expect(JSON.parse(logged).err).toMatchObject({
    code: '23505',
    constraint: 'guests_pkey',
    query: expect.any(String),
  });
  expect(logged).not.toContain('ann@example.com');
});
