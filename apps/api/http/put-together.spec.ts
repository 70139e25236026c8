import { beforeAll, expect, it } from 'vitest';
import { generateSshKeyPair } from '#libs/accounts';
import { newTenant, stockMarketplace, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const api = testApi();
let tenant: Tenant;

beforeAll(async () => {
  await stockMarketplace(api.current);
  tenant = await newTenant(api.current, 'owner@example.com');
});

const ask = (method: string, path: string, body?: unknown) =>
  api.current.request(method, path, { token: tenant.token, body });

it.each([
  ['servers', 'server', () => ({ name: 'web', server_type: 's1', image: 'web' })],
  ['volumes', 'volume', () => ({ name: 'data', size: 1 })],
  ['ssh_keys', 'ssh_key', () => ({ name: 'me', public_key: generateSshKeyPair().publicKey })],
])('a new name and new labels that come at once are both kept: %s', async (path, kind, wanted) => {
  const made = (await ask('POST', `/v1/${path}`, wanted())).json()[kind];
  const change = (body: object) => ask('PUT', `/v1/${path}/${made.id}`, body);
  for (let round = 0; round < 20; round += 1) {
    const [name, labels] = [`name-${round}`, { round: String(round) }];
    await Promise.all([change({ name }), change({ labels })]);
    expect((await ask('GET', `/v1/${path}/${made.id}`)).json()[kind]).toMatchObject({ name, labels });
  }
  const { name, labels } = made;
  await change({ name, labels });
  expect((await change({})).json()[kind]).toMatchObject({ name, labels });
});
