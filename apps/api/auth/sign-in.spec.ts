import { beforeAll, describe, expect, it } from 'vitest';
import { testApi } from '../../../test/api/test-api.ts';
import { signInLimit } from '../rate-limit/limits.ts';

const api = testApi();
const email = 'victim@example.com';
const password = 'a long enough password';

const signIn = (body: unknown, query = '') =>
  api.current.request('POST', `/v1/sessions${query}`, { body, remoteAddress: '192.0.2.1' });

beforeAll(async () => {
  await api.current.request('POST', '/v1/accounts', { body: { email, password } });
});

describe('signing in', () => {
  it('takes e-mail and password from the body alone: what an address has in it ends in logs, and is not counted', async () => {
    const query = `?${new URLSearchParams({ email, password })}`;
    for (const body of [
      { email: '', password: '' },
      { email, password: '' },
      { email: '', password },
    ]) {
      expect((await signIn(body, query)).statusCode).not.toBe(201);
    }
    expect((await signIn({ email, password }, query)).statusCode).toBe(201);
  });

  it('counts for the account that is looked for, however its e-mail is spelled', async () => {
    for (let round = 0; round < signInLimit.limit; round += 1) await signIn({ email, password: 'wrong' });
    expect((await signIn({ email: email.toUpperCase(), password })).statusCode).toBe(429);
    expect((await signIn({ email: 'v\u0130ctim@example.com', password })).statusCode).not.toBe(201);
  });
});

it('a session and its cookie end two weeks after they were last used, not after the sign-in', async () => {
  const who = { email: 'regular@example.com', password };
  const created = await api.current.request('POST', '/v1/accounts', { body: who });
  const [{ name, value }] = created.cookies as [{ name: string; value: string }];
  const ask = (method = 'GET', path = '/v1/account') =>
    api.current.request(method, path, { cookie: `${name}=${value}` });
  const later = () =>
    api.current.dataSource.query(`UPDATE sessions SET last_seen_at = now() - interval '6 minutes'`);
  expect((await ask()).cookies).toEqual([]);
  await later();
  expect((await ask()).cookies).toMatchObject([{ name, value, maxAge: 14 * 24 * 3600 }]);
  expect((await ask()).cookies).toEqual([]);
  await later();
  expect((await ask('DELETE', '/v1/sessions/current')).cookies).toMatchObject([{ name, value: '' }]);
});
