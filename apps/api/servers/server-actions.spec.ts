import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureBooks, firstPrice, setPaying } from '#libs/billing';
import { newId } from '#libs/kernel';
import { EnvelopeCipher } from '#libs/secrets';
import { SecretsStore } from '#libs/servers';
import { newTenant, stockMarketplace, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const api = testApi();
let tenant: Tenant;
let count = 0;

const ask = (method: string, path: string, body?: unknown) =>
  api.current.request(method, path, { token: tenant.token, body });

beforeAll(async () => {
  await stockMarketplace(api.current);
  tenant = await newTenant(api.current, 'owner@example.com');
  await api.current.dataSource.query(
    'UPDATE accounts SET max_servers = 99, max_vcpus = 99, max_memory_mib = 999999',
  );
});

beforeEach(async () => {
  const { dataSource } = api.current;
  await dataSource.query('UPDATE servers SET deleted_at = now()');
  await dataSource.query('UPDATE addresses SET server_id = NULL');
  await dataSource.query('DELETE FROM reservations');
  await dataSource.query('UPDATE hosts SET used_vcpus = 0, used_memory_mib = 0, used_disk_gib = 0');
});

async function order(): Promise<number> {
  const body = { name: `server-${count++}`, server_type: 's1', image: 'web' };
  return (await ask('POST', '/v1/servers', body)).json().server.id;
}

/** As the workflow leaves a server that it has handed over. */
async function readyServer(): Promise<number> {
  const id = await order();
  await api.current.dataSource.query(
    "UPDATE servers SET ready_at = now(), observed = 'running' WHERE id = $1",
    [id],
  );
  await api.current.dataSource.query("UPDATE actions SET status = 'success' WHERE server_id = $1", [id]);
  return id;
}

describe('deletions', () => {
  it('of more servers at once than the API has connections all end', async () => {
    const ids: number[] = [];
    for (let made = 0; made < 60; made++) ids.push(await order());
    const answers = await Promise.all(ids.map((id) => ask('DELETE', `/v1/servers/${id}`)));
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
  });

  it('happen once, and lock the server for everything else', async () => {
    const id = await readyServer();
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask('DELETE', `/v1/servers/${id}`)));
    expect(answers.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([
      200,
      ...Array(7).fill(423),
    ]);
    for (const action of ['poweron', 'poweroff', 'shutdown', 'reboot', 'reset', 'reset_password']) {
      const answer = await ask('POST', `/v1/servers/${id}/actions/${action}`);
      expect([action, answer.json().error.code]).toEqual([action, 'locked']);
    }
  });
});

it('starts one of many commands that come at once', async () => {
  const id = await readyServer();
  const answers = await Promise.all(
    Array.from({ length: 16 }, () => ask('POST', `/v1/servers/${id}/actions/reboot`)),
  );
  expect(answers.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([
    201,
    ...Array(15).fill(423),
  ]);
});

describe('a rebuild', () => {
  it('takes user data for the first boot of the new system', async () => {
    const id = await readyServer();
    const body = { image: 'web', user_data: '#cloud-config\nruncmd: [date]\n' };
    expect((await ask('POST', `/v1/servers/${id}/actions/rebuild`, body)).statusCode).toBe(201);
    const secrets = new SecretsStore(api.current.get<EnvelopeCipher>(EnvelopeCipher));
    const { manager } = api.current.dataSource;
    expect(await secrets.read(manager, id, 'user_data')).toBe(body.user_data);
  });

  it('with an image that does not fit the server is refused, and nothing changes', async () => {
    const id = await readyServer();
    const { dataSource } = api.current;
    await dataSource.query(
      `UPDATE images SET appliance = jsonb_set(appliance, '{minimumDiskGib}', '5000') WHERE name = 'web'`,
    );
    const answer = await ask('POST', `/v1/servers/${id}/actions/rebuild`, { image: 'web' });
    await dataSource.query(
      `UPDATE images SET appliance = jsonb_set(appliance, '{minimumDiskGib}', '4') WHERE name = 'web'`,
    );
    expect(answer.json().error).toMatchObject({
      code: 'invalid_input',
      details: { fields: [{ name: 'image' }], reason: 'image_too_large' },
    });
    expect((await ask('GET', `/v1/servers/${id}`)).json().server).toMatchObject({
      status: 'running',
      locked: false,
    });
  });
});

describe('an image that costs more than the server has', () => {
  it('is refused to who has nothing to pay with, and nothing changes', async () => {
    const id = await readyServer();
    const { dataSource } = api.current;
    const { manager } = dataSource;
    const billedAs = (value: string) =>
      dataSource.query(`UPDATE images SET appliance = appliance ${value} WHERE name = 'web'`);
    await firstPrice(manager, { item: 'image/dear', title: 'Dear', hourlyMicro: 5_000_000 });
    await ensureBooks(manager, tenant.accountId, 'eur', new Date());
    await setPaying(manager, tenant.accountId, { by: 'prepaid' });
    await billedAs(`|| '{"billedAs": "dear"}'`);
    const rebuild = () => ask('POST', `/v1/servers/${id}/actions/rebuild`, { image: 'web' });
    const refused = await rebuild();
    expect([refused.statusCode, refused.json().error.details.reason]).toEqual([402, 'credit_exhausted']);
    expect((await ask('GET', `/v1/servers/${id}`)).json().server).toMatchObject({
      status: 'running',
      locked: false,
    });
    await billedAs(`- 'billedAs'`);
    expect((await rebuild()).statusCode).toBe(201);
    await setPaying(manager, tenant.accountId, { by: 'card' });
  });
});

describe('a change of type', () => {
  const change = (id: number, body: object) => ask('POST', `/v1/servers/${id}/actions/change_type`, body);
  const s2 = { server_type: 's2', upgrade_disk: false };

  it('takes a server that is off, and one that runs when it may be restarted', async () => {
    const id = await readyServer();
    const running = await change(id, s2);
    expect([running.statusCode, running.json().error.code]).toEqual([422, 'server_not_stopped']);
    const answer = await change(id, { ...s2, restart: true });
    expect(answer.json().action).toMatchObject({ command: 'change_server_type', status: 'running' });
    expect((await change(id, s2)).json().error.code).toBe('locked');
    const other = await readyServer();
    await api.current.dataSource.query("UPDATE servers SET observed = 'off' WHERE id = $1", [other]);
    expect((await change(other, { ...s2, upgrade_disk: true })).statusCode).toBe(201);
  });

  it('is refused with the words that clients know', async () => {
    const id = await readyServer();
    const answer = await change(id, { server_type: 's1', upgrade_disk: false, restart: true });
    expect(answer.json().error).toMatchObject({
      code: 'invalid_server_type',
      details: { fields: [{ name: 'server_type' }] },
    });
    const unknown = await change(id, { server_type: 'cx9', upgrade_disk: false });
    expect(unknown.json().error).toMatchObject({
      code: 'invalid_input',
      details: { fields: [{ name: 'server_type' }], reason: 'server_type_not_found' },
    });
    expect((await change(id, { server_type: 's2' })).json().error.details.fields).toMatchObject([
      { name: 'upgrade_disk' },
    ]);
  });

  it('waits for room, and counts against the limits of the account', async () => {
    const id = await readyServer();
    const { dataSource } = api.current;
    await dataSource.query('UPDATE hosts SET vcpus = used_vcpus + 1');
    const s4 = { server_type: 's4', upgrade_disk: true, restart: true };
    const full = await change(id, s4);
    await dataSource.query('UPDATE hosts SET vcpus = 64');
    expect([full.statusCode, full.json().error.code]).toEqual([412, 'resource_unavailable']);
    await dataSource.query('UPDATE accounts SET max_vcpus = 3');
    const limited = await change(id, s4);
    await dataSource.query('UPDATE accounts SET max_vcpus = 99');
    expect([limited.statusCode, limited.json().error.code]).toEqual([403, 'resource_limit_exceeded']);
    const other = await readyServer();
    expect((await change(other, s4)).statusCode).toBe(201);
    await dataSource.query('UPDATE accounts SET max_vcpus = 5');
    const beside = await change(id, { ...s4, server_type: 's2' });
    await dataSource.query('UPDATE accounts SET max_vcpus = 99');
    expect(beside.json().error.code).toBe('resource_limit_exceeded');
    expect((await ask('GET', `/v1/servers/${id}`)).json().server).toMatchObject({
      ...{ status: 'running', locked: false, server_type: { name: 's1' }, primary_disk_size: 10 },
    });
  });
});

describe('a change of type of who has not paid', () => {
  it('may make a server cheaper, and not dearer', async () => {
    const { dataSource } = api.current;
    const id = await readyServer();
    await dataSource.query(
      "UPDATE servers SET server_type_id = (SELECT id FROM server_types WHERE name = 's2') WHERE id = $1",
      [id],
    );
    await dataSource.query(
      'INSERT INTO arrears (id, account_id, since, is_hard, next_at) VALUES ($1, $2, now(), false, now())',
      [newId(), tenant.accountId],
    );
    const to = (type: string) =>
      ask('POST', `/v1/servers/${id}/actions/change_type`, {
        ...{ server_type: type, upgrade_disk: false, restart: true },
      });
    const dearer = await to('s4');
    const cheaper = await to('s1');
    await dataSource.query('DELETE FROM arrears');
    expect(dearer.json().error.details.reason).toBe('account_in_arrears');
    expect([cheaper.statusCode, cheaper.json().action?.command]).toEqual([201, 'change_server_type']);
  });
});

describe('a snapshot, or backups, of who has not paid', () => {
  it('are refused where they cost', async () => {
    const { dataSource } = api.current;
    const id = await readyServer();
    await ensureBooks(dataSource.manager, tenant.accountId, 'eur', new Date());
    await dataSource.query(
      'INSERT INTO arrears (id, account_id, since, is_hard, next_at) VALUES ($1, $2, now(), false, now())',
      [newId(), tenant.accountId],
    );
    const asked = (type: string) => ask('POST', `/v1/servers/${id}/actions/create_image`, { type });
    for (const item of ['snapshot/gib', 'backup/gib'] as const) {
      await firstPrice(dataSource.manager, { item, title: item, hourlyMicro: 1000 });
    }
    const backups = await ask('POST', `/v1/servers/${id}/actions/enable_backup`, {});
    const snapshot = await asked('snapshot');
    await dataSource.query('DELETE FROM arrears');
    for (const refused of [backups, snapshot]) {
      expect(refused.json().error?.details.reason).toBe('account_in_arrears');
    }
    expect((await asked('snapshot')).statusCode).toBe(201);
  });
});

describe('protection', () => {
  const protect = (id: number, body: object) =>
    ask('POST', `/v1/servers/${id}/actions/change_protection`, body);
  const refused = { error: { code: 'protected', details: { reason: 'server_protected' } } };

  it('keeps a server from every way to delete or rebuild it, until it is taken away', async () => {
    const id = await readyServer();
    const answer = await protect(id, { delete: true, rebuild: true });
    expect([answer.statusCode, answer.json().action]).toMatchObject([
      201,
      { command: 'change_protection', status: 'success', progress: 100 },
    ]);
    const shown = async () => (await ask('GET', `/v1/servers/${id}`)).json().server.protection;
    expect(await shown()).toEqual({ delete: true, rebuild: true });
    const deletion = await ask('DELETE', `/v1/servers/${id}`);
    expect([deletion.statusCode, deletion.json()]).toMatchObject([403, refused]);
    const rebuild = () => ask('POST', `/v1/servers/${id}/actions/rebuild`, { image: 'web' });
    expect((await rebuild()).json()).toMatchObject(refused);
    const image = (await ask('GET', '/v1/images?name=web')).json().images[0].id;
    const rollBack = await ask('POST', `/v1/servers/${id}/actions/roll_back`, { image });
    expect(rollBack.json()).toMatchObject(refused);
    await protect(id, { rebuild: false });
    expect(await shown()).toEqual({ delete: true, rebuild: false });
    expect((await rebuild()).statusCode).toBe(201);
    expect((await ask('DELETE', `/v1/servers/${id}`)).statusCode).toBe(403);
    await protect(id, { delete: false });
    expect((await ask('DELETE', `/v1/servers/${id}`)).statusCode).toBe(200);
    expect((await protect(id, { delete: true })).json().error.code).toBe('locked');
  });
});

it('names the field of a name that is taken', async () => {
  const body = { name: 'taken', server_type: 's1', image: 'web' };
  await ask('POST', '/v1/servers', body);
  expect((await ask('POST', '/v1/servers', body)).json().error).toMatchObject({
    code: 'uniqueness_error',
    details: { fields: [{ name: 'name' }] },
  });
});

it('answers resource_unavailable when the addresses are used up', async () => {
  const { dataSource } = api.current;
  await dataSource.query("UPDATE addresses SET server_id = coalesce(server_id, ip - inet '10.99.0.0')");
  const body = { name: 'homeless', server_type: 's1', image: 'web' };
  const answer = await ask('POST', '/v1/servers', body);
  await dataSource.query('UPDATE addresses SET server_id = NULL WHERE server_id < 1000');
  expect([answer.statusCode, answer.json().error.code]).toEqual([412, 'resource_unavailable']);
});
