import type { DynamicModule } from '@nestjs/common';
import { beforeAll, expect, it } from 'vitest';
import { newTenant, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';
import { API_LIMIT } from './limits.ts';

const lowered = (module: DynamicModule): DynamicModule => ({
  ...module,
  providers: [
    ...(module.providers ?? []),
    { provide: API_LIMIT, useValue: { limit: 8, windowSeconds: 600 } },
  ],
});
const api = testApi(lowered);
let tenant: Tenant;

beforeAll(async () => {
  tenant = await newTenant(api.current, 'busy@example.com');
});

it('counts each token by itself, says what is left, and refuses beyond the limit', async () => {
  const ask = (token: string) => api.current.request('GET', '/v1/ssh_keys', { token });
  const answers = await Promise.all(Array.from({ length: 10 }, () => ask(tenant.token)));
  const remaining = answers.map((answer) => Number(answer.headers['ratelimit-remaining']));
  expect(remaining.toSorted((a, b) => a - b)).toEqual([0, 0, 0, 1, 2, 3, 4, 5, 6, 7]);
  const refused = answers.filter(({ statusCode }) => statusCode === 429);
  expect(refused).toHaveLength(2);
  expect(refused[0]?.json().error.code).toBe('rate_limit_exceeded');
  expect(Number(refused[0]?.headers['ratelimit-reset'])).toBeGreaterThan(Date.now() / 1000);
  expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThan(0);
  expect(refused[0]?.headers['ratelimit-remaining']).toBe('0');
  expect((await ask(tenant.readToken)).statusCode).toBe(200);
});

it('counts whoever is not signed in by the address, of IPv6 by its /64', async () => {
  const ask = async (remoteAddress: string) =>
    (await api.current.request('GET', '/v1/catalog', { remoteAddress })).headers['ratelimit-remaining'];
  expect(await ask('2001:db8:0:1::1')).toBe('7');
  expect(await ask('2001:db8::1:aaaa:bbbb:cccc:dddd')).toBe('6');
  expect(await ask('2001:db8:0:2::1')).toBe('7');
  expect(await ask('::ffff:192.0.2.7')).toBe('7');
  expect(await ask('192.0.2.7')).toBe('6');
  expect(await ask('::ffff:192.0.2.8')).toBe('7');
});
