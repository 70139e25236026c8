import { beforeAll, describe, expect, it } from 'vitest';
import { newTenant, stockMarketplace, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const api = testApi();
let tenant: Tenant;

beforeAll(async () => {
  await stockMarketplace(api.current);
  tenant = await newTenant(api.current, 'owner@example.com');
});

describe('a size that was withdrawn', () => {
  it('is not sold by its id either, which is what clients send that have seen it once', async () => {
    const { token } = tenant;
    const { server_types: types } = (
      await api.current.request('GET', '/v1/server_types?name=s1', { token })
    ).json();
    const order = { name: 'web-1', server_type: types[0].id, image: 'web' };
    await api.current.dataSource.query('UPDATE server_types SET deprecated_at = now() WHERE id = $1', [
      types[0].id,
    ]);
    const { name: _, ...item } = order;
    for (const [path, body] of [
      ['/v1/servers', order],
      ['/v1/quotes', item],
    ] as const) {
      const refused = await api.current.request('POST', path, { token, body });
      expect(refused.json().error).toMatchObject({
        code: 'invalid_server_type',
        details: { fields: [{ name: 'server_type' }] },
      });
    }
  });
});
