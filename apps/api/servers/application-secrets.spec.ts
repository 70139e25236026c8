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
