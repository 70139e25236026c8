import { describe, expect, it } from 'vitest';
import { testApi } from '../../../test/api/test-api.ts';

/** Whom a request is counted as: what is left of its limit goes down when it is known from before. */
async function countedTogether(
  api: ReturnType<typeof testApi>,
  one: string,
  other: string,
): Promise<boolean> {
  const left = async (forwarded: string) => {
    const answer = await api.current.request('GET', '/v1/catalog', {
      headers: { 'x-forwarded-for': forwarded },
    });
    return Number(answer.headers['ratelimit-remaining']);
  };
  const before = await left(one);
  return (await left(other)) < before;
}

describe('behind one reverse proxy', () => {
  const api = testApi(undefined, { SERVERY_TRUST_PROXY: 'yes' });

  it('who asks is whom the proxy saw, whatever they say of themselves', async () => {
    expect(await countedTogether(api, '192.0.2.1', '192.0.2.2')).toBe(false);
    expect(await countedTogether(api, '203.0.113.1, 192.0.2.3', '203.0.113.2, 192.0.2.3')).toBe(true);
  });
});

describe('behind two reverse proxies', () => {
  const api = testApi(undefined, { SERVERY_TRUST_PROXY: '2' });

  it('who asks is whom the first of them saw', async () => {
    expect(await countedTogether(api, '192.0.2.1, 10.0.0.1', '192.0.2.2, 10.0.0.1')).toBe(false);
    expect(
      await countedTogether(api, '203.0.113.1, 192.0.2.3, 10.0.0.1', '203.0.113.2, 192.0.2.3, 10.0.0.1'),
    ).toBe(true);
  });
});

describe('without a reverse proxy', () => {
  const api = testApi();

  it('nobody is believed', async () => {
    expect(await countedTogether(api, '192.0.2.1', '192.0.2.2')).toBe(true);
  });
});
