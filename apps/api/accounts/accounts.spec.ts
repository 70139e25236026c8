import { describe, expect, it } from 'vitest';
import { testApi } from '../../../test/api/test-api.ts';

const api = testApi();
const password = 'a long enough password';

const cookieOf = (headers: Record<string, unknown>) => String(headers['set-cookie']).split(';', 1)[0] ?? '';

describe('accounts', () => {
  it('signs up and is signed in by a cookie that scripts and other sites cannot use', async () => {
    const body = { email: 'a@example.com', password };
    const answer = await api.current.request('POST', '/v1/accounts', { body });
    expect(answer.statusCode).toBe(201);
    expect(answer.headers['set-cookie']).toMatch(
      /^__Host-servery_session=\w{64};.*Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    const me = await api.current.request('GET', '/v1/account', { cookie: cookieOf(answer.headers) });
    expect(me.json().account).toMatchObject({
      email: 'a@example.com',
      role: 'customer',
      limits: { servers: 5 },
    });
    const [row]: { password_hash: string }[] = await api.current.dataSource.query(
      'SELECT password_hash FROM accounts',
    );
    expect(row?.password_hash).toMatch(/^\$argon2id\$/);
  });

  it('has one account for an e-mail, however it is spelled', async () => {
    const body = { email: 'A@Example.com', password };
    const answer = await api.current.request('POST', '/v1/accounts', { body });
    expect(answer.statusCode).toBe(409);
    expect(answer.json().error).toMatchObject({
      code: 'uniqueness_error',
      details: { fields: [{ name: 'email' }] },
    });
  });

  it('signs in, and out for good', async () => {
    const signIn = (word: string) =>
      api.current.request('POST', '/v1/sessions', { body: { email: 'a@EXAMPLE.com', password: word } });
    expect((await signIn('not the password')).statusCode).toBe(401);
    const cookie = cookieOf((await signIn(password)).headers);
    expect((await api.current.request('DELETE', '/v1/sessions/current', { cookie })).statusCode).toBe(204);
    expect((await api.current.request('GET', '/v1/account', { cookie })).statusCode).toBe(401);
  });

  it('refuses changes by cookie that come from elsewhere', async () => {
    const body = { email: 'a@example.com', password };
    const cookie = cookieOf((await api.current.request('POST', '/v1/sessions', { body })).headers);
    const forged = { cookie, body: { name: 'x' } };
    for (const headers of [
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ]) {
      const answer = await api.current.request('POST', '/v1/projects', { ...forged, headers });
      expect(answer.json().error.code).toBe('csrf');
    }
    expect((await api.current.request('POST', '/v1/projects', forged)).statusCode).toBe(201);
  });

  it('does not count those who know their password', async () => {
    const body = { email: 'a@example.com', password };
    const signIn = () => api.current.request('POST', '/v1/sessions', { body });
    const statuses = [];
    for (let round = 0; round < 24; round += 1) statuses.push((await signIn()).statusCode);
    expect(new Set(statuses)).toEqual(new Set([201]));
  });

  it('limits the tries to sign in', async () => {
    const body = { email: 'nobody@example.com', password };
    const answers = await Promise.all(
      Array.from({ length: 24 }, () => api.current.request('POST', '/v1/sessions', { body })),
    );
    expect(answers.map(({ statusCode }) => statusCode).filter((status) => status === 429)).toHaveLength(4);
  });
});
