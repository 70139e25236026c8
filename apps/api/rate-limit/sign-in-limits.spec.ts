import { beforeAll, describe, expect, it } from 'vitest';
import { newTenant, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';
import { failuresFromAddressLimit, signInFromAnywhereLimit, signInLimit } from './limits.ts';
import { SignInLimits } from './sign-in-limits.ts';

const api = testApi();
let tenant: Tenant;
let limits: SignInLimits;
let lockOuts = 0;

beforeAll(async () => {
  tenant = await newTenant(api.current, 'guessed@example.com');
  limits = api.current.get(SignInLimits);
});

const attempt = (email: string, ip: string) =>
  limits.attempt(email, ip, async () => {
    lockOuts += 1;
  });

const ask = (remoteAddress: string, token: string) =>
  api.current.api.app.inject({
    method: 'GET',
    url: '/v1/servers',
    remoteAddress,
    headers: { authorization: `Bearer ${token}` },
  });

describe('signing in', () => {
  it('is limited for one e-mail from one address by its failures alone', async () => {
    for (let round = 0; round < 2 * signInLimit.limit; round += 1) {
      await (await attempt('right@example.com', '192.0.2.1')).succeeded();
    }
    for (let round = 0; round < signInLimit.limit; round += 1) await attempt('A@example.com', '192.0.2.1');
    for (let round = 0; round < 2; round += 1) {
      await expect(attempt('a@example.com', '192.0.2.1')).rejects.toMatchObject({
        code: 'rate_limit_exceeded',
      });
    }
    expect(lockOuts).toBe(1);
    await attempt('a@example.com', '192.0.2.2');
    await attempt('b@example.com', '192.0.2.1');
  });

  it('is limited for all addresses of one IPv6 line together', async () => {
    for (let round = 0; round < signInLimit.limit; round += 1) {
      await attempt('v6@example.com', `2001:db8:1:1::${round}`);
    }
    await expect(attempt('v6@example.com', '2001:db8:1:1:ffff::')).rejects.toMatchObject({
      code: 'rate_limit_exceeded',
    });
    await attempt('v6@example.com', '2001:db8:1:2::1');
  });

  it('is limited for one e-mail from all addresses together', async () => {
    for (let round = 0; round < signInFromAnywhereLimit.limit; round += 1) {
      await attempt('victim@example.com', `198.51.100.${round}`);
    }
    await expect(attempt('victim@example.com', '198.51.100.200')).rejects.toMatchObject({
      code: 'rate_limit_exceeded',
    });
    await attempt('other@example.com', '198.51.100.200');
  });

  it('is limited for one address that tries wrong API tokens; right ones from there still work', async () => {
    const wrong = 'x'.repeat(64);
    const answers = [];
    for (let round = 0; round < failuresFromAddressLimit.limit + 2; round += 1) {
      answers.push(await ask('203.0.113.1', wrong));
    }
    const statuses = answers.map(({ statusCode }) => statusCode);
    expect(statuses.filter((status) => status === 401)).toHaveLength(failuresFromAddressLimit.limit);
    const refused = answers.at(-1);
    expect(refused?.statusCode).toBe(429);
    expect(refused?.json().error.code).toBe('rate_limit_exceeded');
    expect(refused?.headers).toMatchObject({
      'ratelimit-limit': String(failuresFromAddressLimit.limit),
      'ratelimit-remaining': '0',
      'ratelimit-reset': expect.stringMatching(/^\d+$/),
      'retry-after': expect.stringMatching(/^\d+$/),
    });
    expect((await ask('203.0.113.1', tenant.token)).statusCode).toBe(200);
    expect((await ask('203.0.113.2', wrong)).statusCode).toBe(401);
    await expect(attempt('c@example.com', '203.0.113.1')).rejects.toMatchObject({
      code: 'rate_limit_exceeded',
    });
  });
});
