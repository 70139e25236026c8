import { beforeAll, expect, it } from 'vitest';
import { EnvelopeCipher } from '#libs/secrets';
import { SecretsStore } from '#libs/servers';
import { newTenant, stockMarketplace, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const api = testApi();
let tenant: Tenant;
let serverId: number;

const ask = (method: string, path: string, token = tenant.token) =>
  api.current.request(method, path, { token, ...(method === 'POST' && { body: {} }) });
const reveal = (token?: string) => ask('POST', `/v1/servers/${serverId}/actions/reveal_secrets`, token);
const shownState = async () =>
  (await ask('GET', `/v1/servers/${serverId}`)).json().server.servery.application_secrets;

beforeAll(async () => {
  await stockMarketplace(api.current);
  const secrets = [{ name: 'admin_password', title: 'Password of the admin', username: 'admin' }];
  await api.current.dataSource.query(
    `UPDATE images SET appliance = appliance || jsonb_build_object('secrets', $1::jsonb)`,
    [JSON.stringify(secrets)],
  );
  tenant = await newTenant(api.current, 'owner@example.com');
  const body = { name: 'shop', server_type: 's1', image: 'web' };
  const answer = await api.current.request('POST', '/v1/servers', { token: tenant.token, body });
  serverId = answer.json().server.id;
});

it('says in the catalog what will be made for each server', async () => {
  const { products } = (await ask('GET', '/v1/catalog')).json();
  const secret = { name: 'admin_password', title: 'Password of the admin', username: 'admin' };
  expect(products[0].secrets).toEqual([secret]);
});

it('shows nothing before the guest has them', async () => {
  expect(await shownState()).toBeNull();
  expect((await reveal()).json().error.code).toBe('not_found');
});

it('shows them once, to whom the server belongs and who may change it', async () => {
  const store = new SecretsStore(api.current.get<EnvelopeCipher>(EnvelopeCipher));
  const { dataSource } = api.current;
  await store.put(dataSource.manager, serverId, 'application', '{"admin_password":"for-its-owner"}');
  await dataSource.query('UPDATE servers SET ready_at = now() WHERE id = $1', [serverId]);
  expect(await shownState()).toMatchObject({ state: 'available', items: [{ name: 'admin_password' }] });

  const stranger = await newTenant(api.current, 'stranger@example.com');
  expect((await reveal(stranger.token)).statusCode).toBe(404);

  const answers = await Promise.all(Array.from({ length: 8 }, () => reveal()));
  const shown = answers.filter(({ statusCode }) => statusCode === 201);
  expect(shown.map((answer) => answer.json())).toEqual([
    {
      secrets: [
        {
          name: 'admin_password',
          title: 'Password of the admin',
          username: 'admin',
          value: 'for-its-owner',
        },
      ],
    },
  ]);
  expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([201, 410]));
  expect(await shownState()).toMatchObject({ state: 'revealed', expires_at: null });
  const [row] = await dataSource.query(
    `SELECT octet_length(sealed) AS bytes FROM server_secrets WHERE server_id = $1 AND kind = 'application'`,
    [serverId],
  );
  expect(row.bytes).toBe(0);
});

it('shows those of the image that an upgrade has made it like, and none where that has none', async () => {
  const { dataSource } = api.current;
  const store = new SecretsStore(api.current.get<EnvelopeCipher>(EnvelopeCipher));
  const values = { admin_password: 'for-its-owner', former_password: 'of-the-former' };
  await store.put(dataSource.manager, serverId, 'application', JSON.stringify(values));
  const newer = await upgradedTo([]);
  expect(await shownState()).toBeNull();
  expect((await reveal()).json().error.code).toBe('not_found');
  // A roll back goes back to the former image, whose secrets are there still.
  await dataSource.query('UPDATE servers SET upgraded_to = NULL WHERE id = $1', [serverId]);
  expect(await shownState()).toMatchObject({ state: 'available', items: [{ name: 'admin_password' }] });

  await dataSource.query('UPDATE servers SET upgraded_to = $2 WHERE id = $1', [serverId, newer]);
  const secrets = ['admin_password', 'other_password'].map((name) => ({ name, title: name }));
  await upgradedTo(secrets, newer);
  expect((await reveal()).json()).toEqual({
    secrets: [{ name: 'admin_password', title: 'admin_password', username: null, value: 'for-its-owner' }],
  });
  expect(await shownState()).toMatchObject({ state: 'revealed' });
});

/** A newer image that the server is like, with these secrets. */
async function upgradedTo(secrets: readonly object[], id = 4711): Promise<number> {
  const { dataSource } = api.current;
  await dataSource.query(
    `INSERT INTO images (id, name, type, volume_name, file_size_bytes, virtual_size_bytes, appliance, package_count,
                         project_id, status)
     SELECT $2::bigint, 'recipe-4711', 'snapshot', 'recipe-4711.qcow2', 1, 1, i.appliance, 1, s.project_id, 'available'
     FROM servers s JOIN images i ON i.id = s.image_id WHERE s.id = $1 ON CONFLICT DO NOTHING`,
    [serverId, id],
  );
  await dataSource.query(
    `UPDATE images SET appliance = appliance || jsonb_build_object('secrets', $2::jsonb) WHERE id = $1`,
    [id, JSON.stringify(secrets)],
  );
  await dataSource.query('UPDATE servers SET upgraded_to = $2 WHERE id = $1', [serverId, id]);
  return id;
}
