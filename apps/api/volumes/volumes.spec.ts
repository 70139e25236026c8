import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newTenant, stockMarketplace, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const api = testApi();
let owner: Tenant;
let count = 0;

type Headers = Record<string, string>;
const ask = (method: string, path: string, body?: unknown, headers: Headers = {}) =>
  api.current.request(method, path, { token: owner.token, body, headers });
const sql = (text: string, values: unknown[] = []) => api.current.dataSource.query(text, values);
const errorOf = (answer: { statusCode: number; json(): { error: { code: string; details: unknown } } }) => [
  answer.statusCode,
  answer.json().error.code,
  answer.json().error.details,
];

beforeAll(async () => {
  await stockMarketplace(api.current);
});

beforeEach(async () => {
  owner = await newTenant(api.current, `owner-${count++}@example.com`);
});

/** As its workflow leaves one that was handed over. */
async function readyServer(name = 'shop'): Promise<number> {
  const body = { name, server_type: 's1', image: 'web' };
  const { id } = (await ask('POST', '/v1/servers', body)).json().server;
  await sql(
    `UPDATE servers SET ready_at = now(), observed = 'running', host_id = (SELECT id FROM hosts) WHERE id = $1`,
    [id],
  );
  await sql(`UPDATE actions SET status = 'success' WHERE server_id = $1`, [id]);
  return id;
}

const worked = () => sql(`UPDATE actions SET status = 'success' WHERE status = 'running'`);

/** As its workflows leave a volume that was made, and that a server has, where one is named. */
async function madeVolume(name: string, serverId: number | null = null): Promise<number> {
  const { volume } = (await ask('POST', '/v1/volumes', { name, size: 10 })).json();
  await worked();
  await sql(
    `UPDATE volumes SET status = 'available', has_data = true, server_id = $2::bigint,
                        slot = CASE WHEN $2::bigint IS NOT NULL THEN 0 END WHERE id = $1`,
    [volume.id, serverId],
  );
  return volume.id;
}

describe('a volume', () => {
  it('is ordered once under an idempotency key, found by name and label, and renamed', async () => {
    const body = { name: 'data', size: 10, format: 'xfs', labels: { for: 'shop' }, location: 'lab' };
    const order = () => ask('POST', '/v1/volumes', body, { 'idempotency-key': `volume-${owner.projectId}` });
    const [first, second] = [await order(), await order()];
    expect([first.statusCode, second.json()]).toEqual([201, first.json()]);
    const { volume, action, next_actions } = first.json();
    expect(volume).toMatchObject({
      name: 'data',
      size: 10,
      status: 'creating',
      server: null,
      format: 'xfs',
    });
    expect(volume).toMatchObject({ labels: { for: 'shop' }, protection: { delete: false } });
    expect(volume.linux_device).toBe(`/dev/disk/by-id/scsi-0HC_Volume_${volume.id}`);
    expect(action).toMatchObject({
      command: 'create_volume',
      resources: [{ id: volume.id, type: 'volume' }],
    });
    expect(next_actions).toEqual([]);
    const found = (await ask('GET', '/v1/volumes?name=data&label_selector=for%3Dshop')).json();
    expect(found.volumes.map(({ id }: { id: number }) => id)).toEqual([volume.id]);
    const changed = await ask('PUT', `/v1/volumes/${volume.id}`, { name: 'files', labels: {} });
    expect(changed.json().volume).toMatchObject({ name: 'files', labels: {} });
    const [{ disk }] = await sql('SELECT disk_gib AS disk FROM reservations WHERE server_id = $1', [
      volume.id,
    ]);
    expect(disk).toBe(10);
    for (const path of ['/v1/actions', '/v1/volumes/actions', `/v1/volumes/${volume.id}/actions`]) {
      const listed = (await ask('GET', path)).json().actions;
      expect(listed.map(({ id }: { id: number }) => id)).toEqual([action.id]);
    }
    for (const path of [
      `/v1/volumes/actions/${action.id}`,
      `/v1/volumes/${volume.id}/actions/${action.id}`,
    ]) {
      expect((await ask('GET', path)).json().action.servery.steps).toHaveLength(1);
    }
  });

  it('is ordered with a server, which is locked until it has it, and named in it afterwards', async () => {
    const server = await readyServer();
    const answer = await ask('POST', '/v1/volumes', { name: 'data', size: 10, server, automount: true });
    const { action, next_actions: next, volume } = answer.json();
    expect([action.command, ...next.map(({ command }: { command: string }) => command)]).toEqual([
      'create_volume',
      'attach_volume',
    ]);
    expect(next[0].resources).toEqual([
      { id: server, type: 'server' },
      { id: volume.id, type: 'volume' },
    ]);
    expect(errorOf(await ask('POST', `/v1/servers/${server}/actions/reboot`))[1]).toBe('locked');
    await worked();
    const data = await madeVolume('more', server);
    expect((await ask('GET', `/v1/servers/${server}`)).json().server.volumes).toEqual([data]);
  });

  it('is refused where its input is wrong', async () => {
    const wrong: [Record<string, unknown>, string][] = [
      [{ name: 'x', size: 0 }, 'size'],
      [{ name: 'x', size: 20_000 }, 'size'],
      [{ name: 'x', size: 1.5 }, 'size'],
      [{ name: '', size: 1 }, 'name'],
      [{ name: 'x', size: 1, format: 'ntfs' }, 'format'],
      [{ name: 'x', size: 1, location: 'moon' }, 'location'],
      [{ name: 'x', size: 1, location: 'lab', server: 4711 }, 'location'],
      [{ name: 'x', size: 1, automount: true }, 'automount'],
    ];
    for (const [body, field] of wrong) {
      const answer = await ask('POST', '/v1/volumes', body);
      const fields = answer.json().error.details.fields.map(({ name }: { name: string }) => name);
      expect([body, answer.statusCode, fields]).toEqual([body, 422, [field]]);
    }
    await madeVolume('data');
    expect(errorOf(await ask('POST', '/v1/volumes', { name: 'data', size: 1 })).slice(0, 2)).toEqual([
      409,
      'uniqueness_error',
    ]);
    expect((await ask('POST', '/v1/volumes', { name: 'x', size: 1, server: 4711 })).statusCode).toBe(404);
    expect((await ask('GET', '/v1/volumes')).json().volumes).toHaveLength(1);
  });

  it('counts against the limit of its account, and against the room of hosts', async () => {
    await madeVolume('data');
    const beyond = await ask('POST', '/v1/volumes', { name: 'more', size: 491 });
    expect(errorOf(beyond)).toMatchObject([
      403,
      'resource_limit_exceeded',
      { reason: 'volume_limit_exceeded', limit: 500, used: 10, asked: 491 },
    ]);
    await sql('UPDATE accounts SET max_volume_gib = 9000 WHERE id = $1', [owner.accountId]);
    const tooLarge = await ask('POST', '/v1/volumes', { name: 'more', size: 5000 });
    expect(errorOf(tooLarge).slice(0, 2)).toEqual([412, 'resource_unavailable']);
    const account = (await api.current.request('GET', '/v1/account', { cookie: owner.cookie })).json()
      .account;
    expect([account.limits.volume_gb, account.usage.volume_gb]).toEqual([9000, 10]);
  });
});

describe('an order of a server with volumes', () => {
  const order = (volumes: unknown, more: Record<string, unknown> = {}) =>
    ask('POST', '/v1/servers', { name: 'shop', server_type: 's1', image: 'web', volumes, ...more });
  const nothingOrdered = async () => {
    expect((await ask('GET', '/v1/servers')).json().servers).toEqual([]);
    expect(
      await sql('SELECT id FROM volumes WHERE server_id IS NOT NULL AND project_id = $1', [owner.projectId]),
    ).toEqual([]);
  };

  it('has them from the start, in their order, and nobody else gets them meanwhile', async () => {
    const [first, second] = [await madeVolume('first'), await madeVolume('second')];
    const answer = await order([second, first], { automount: true });
    expect([answer.statusCode, answer.json().server.volumes]).toEqual([201, [second, first]]);
    const { id } = answer.json().server;
    for (const volume of [first, second]) {
      expect((await ask('GET', `/v1/volumes/${volume}`)).json().volume.server).toBe(id);
      expect(errorOf(await ask('POST', `/v1/volumes/${volume}/actions/detach`))[1]).toBe('locked');
    }
    expect(errorOf(await ask('DELETE', `/v1/volumes/${first}`))[1]).toBe('resource_in_use');
    const again = await order([first], { name: 'other' });
    expect(errorOf(again).slice(0, 2)).toEqual([409, 'volume_already_attached']);
    const [{ automount }] = await sql(
      `SELECT (params ->> 'automount')::boolean AS automount FROM sagas WHERE subject_type = 'server' AND subject_id = $1`,
      [id],
    );
    expect(automount).toBe(true);
  });

  it("is refused with another project's volume, as if there were none", async () => {
    const volume = await madeVolume('data');
    owner = await newTenant(api.current, `stranger-${count++}@example.com`);
    expect(errorOf(await order([volume]))).toMatchObject([
      422,
      'invalid_input',
      { reason: 'volume_not_found', fields: [{ name: 'volumes' }] },
    ]);
    await nothingOrdered();
  });

  it('is refused where one is being worked on, or is elsewhere; where it is not told, it goes to them', async () => {
    const busy = (await ask('POST', '/v1/volumes', { name: 'busy', size: 1 })).json().volume.id;
    expect(errorOf(await order([busy])).slice(0, 2)).toEqual([423, 'locked']);
    await worked();
    const far = await madeVolume('far');
    // The first one by its id is where what is not told goes.
    const elsewhere = Number.MAX_SAFE_INTEGER - ++count;
    await sql(`INSERT INTO locations VALUES ($1, $2, $2, $2, 'DE', 'eu-central')`, [
      elsewhere,
      `far-${elsewhere}`,
    ]);
    await sql('UPDATE volumes SET location_id = $2 WHERE id = $1', [far, elsewhere]);
    expect(errorOf(await order([far], { location: 'lab' }))).toMatchObject([
      422,
      'invalid_input',
      { reason: 'volume_in_another_location', fields: [{ name: 'volumes' }] },
    ]);
    expect(errorOf(await order([far])).slice(0, 2)).toEqual([412, 'resource_unavailable']);
    await nothingOrdered();
    await sql(
      `UPDATE volumes SET location_id = (SELECT id FROM locations WHERE name = 'lab') WHERE id = $1`,
      [far],
    );
    await sql('DELETE FROM locations WHERE id = $1', [elsewhere]);
  });

  it('is refused where its data lies on hosts of which none reaches the others', async () => {
    const [one, other] = [await madeVolume('one'), await madeVolume('other')];
    const hostId = ++count;
    await sql(
      `INSERT INTO hosts SELECT (json_populate_record(h, json_build_object('id', $1::bigint, 'name', $2::text, 'uri', $2::text,
         'host_uuid', gen_random_uuid(), 'used_vcpus', 0, 'used_memory_mib', 0, 'used_disk_gib', 0, 'state', 'draining'))).*
       FROM hosts h LIMIT 1`,
      [hostId, `kvm-${hostId}`],
    );
    await sql('UPDATE volumes SET host_id = $2 WHERE id = $1', [other, hostId]);
    expect(errorOf(await order([one, other]))).toMatchObject([
      422,
      'invalid_input',
      { reason: 'volumes_apart', together: [[one], [other]] },
    ]);
    await nothingOrdered();
    await sql('UPDATE volumes SET host_id = (SELECT id FROM hosts WHERE id <> $1) WHERE host_id = $1', [
      hostId,
    ]);
    await sql('DELETE FROM hosts WHERE id = $1', [hostId]);
  });

  it('is refused where the image has no driver for them', async () => {
    const volume = await madeVolume('data');
    await sql(`UPDATE images SET devices = devices || '{"diskBus": "sata"}'`);
    const answer = await order([volume]);
    await sql(`UPDATE images SET devices = devices || '{"diskBus": "virtio"}'`);
    expect(errorOf(answer)).toMatchObject([
      422,
      'invalid_input',
      { reason: 'volume_bus_unsupported', fields: [{ name: 'volumes' }] },
    ]);
    await nothingOrdered();
  });
});

describe('what is done to a volume', () => {
  it('is attached and detached, one action at a time', async () => {
    const server = await readyServer();
    const id = await madeVolume('data');
    const attach = () => ask('POST', `/v1/volumes/${id}/actions/attach`, { server });
    const { action } = (await attach()).json();
    expect(action).toMatchObject({ command: 'attach_volume', status: 'running' });
    expect(errorOf(await attach()).slice(0, 2)).toEqual([423, 'locked']);
    await worked();
    const detach = () => ask('POST', `/v1/volumes/${id}/actions/detach`);
    expect(errorOf(await detach())).toMatchObject([422, 'invalid_input', { reason: 'volume_not_attached' }]);
    await sql('UPDATE volumes SET server_id = $2, slot = 0 WHERE id = $1', [id, server]);
    expect(errorOf(await attach()).slice(0, 2)).toEqual([409, 'volume_already_attached']);
    const deleting = await ask('DELETE', `/v1/volumes/${id}`);
    expect(errorOf(deleting)).toMatchObject([409, 'resource_in_use', { reason: 'volume_still_attached' }]);
    expect((await detach()).json().action).toMatchObject({ command: 'detach_volume' });
  });

  it('is refused where the machine has no virtio, or no slot', async () => {
    const server = await readyServer();
    const id = await madeVolume('data');
    await sql(`UPDATE servers SET devices = devices || '{"diskBus": "sata"}' WHERE id = $1`, [server]);
    const attach = () => ask('POST', `/v1/volumes/${id}/actions/attach`, { server });
    expect(errorOf(await attach())).toMatchObject([
      422,
      'invalid_input',
      { reason: 'volume_bus_unsupported' },
    ]);
    await sql(`UPDATE servers SET devices = devices || '{"diskBus": "virtio"}' WHERE id = $1`, [server]);
    await sql(
      `INSERT INTO volumes (id, account_id, project_id, location_id, name, size_gib, currency, has_data, server_id, slot)
       SELECT n, account_id, project_id, location_id, n::text, 1, currency, true, $2, n
       FROM volumes, generate_series(0, 15) AS n WHERE id = $1`,
      [id, server],
    );
    expect(errorOf(await attach())).toMatchObject([403, 'resource_limit_exceeded', { limit: 16 }]);
    await sql('UPDATE volumes SET server_id = NULL, slot = NULL, deleted_at = now() WHERE id < 16');
    expect((await attach()).statusCode).toBe(201);
  });

  it('grows and never shrinks, with its room', async () => {
    const id = await madeVolume('data');
    const resize = (size: number) => ask('POST', `/v1/volumes/${id}/actions/resize`, { size });
    for (const size of [5, 10]) {
      expect(errorOf(await resize(size))).toMatchObject([
        422,
        'invalid_input',
        { reason: 'volume_not_larger' },
      ]);
    }
    expect((await resize(20)).json().action).toMatchObject({ command: 'resize_volume' });
    const [{ disk }] = await sql('SELECT disk_gib AS disk FROM reservations WHERE server_id = $1', [id]);
    expect(disk).toBe(20);
    await worked();
    await sql('UPDATE accounts SET max_volume_gib = 9000 WHERE id = $1', [owner.accountId]);
    expect(errorOf(await resize(5000)).slice(0, 2)).toEqual([412, 'resource_unavailable']);
  });

  it('is deleted for good, unless it is protected', async () => {
    const id = await madeVolume('data');
    const protect = (on: boolean) =>
      ask('POST', `/v1/volumes/${id}/actions/change_protection`, { delete: on });
    const { action } = (await protect(true)).json();
    expect(action).toMatchObject({ command: 'change_protection', status: 'success' });
    expect((await ask('GET', `/v1/volumes/${id}`)).json().volume.protection).toEqual({ delete: true });
    expect(errorOf(await ask('DELETE', `/v1/volumes/${id}`)).slice(0, 2)).toEqual([403, 'protected']);
    await protect(false);
    expect((await ask('DELETE', `/v1/volumes/${id}`)).statusCode).toBe(204);
    expect((await ask('GET', `/v1/volumes/${id}`)).statusCode).toBe(404);
    expect((await ask('DELETE', `/v1/volumes/${id}`)).statusCode).toBe(404);
    expect((await ask('POST', '/v1/volumes', { name: 'data', size: 1 })).statusCode).toBe(201);
  });

  it('waits while its account is suspended, but who does not pay may delete', async () => {
    const server = await readyServer();
    const id = await madeVolume('data');
    const suspend = (reason: string) =>
      sql('INSERT INTO account_suspensions (id, account_id, reason, since) VALUES ($1, $2, $3, now())', [
        ++count,
        owner.accountId,
        reason,
      ]);
    await suspend('billing');
    for (const [action, body] of [
      ['attach', { server }],
      ['resize', { size: 20 }],
    ] as const) {
      const answer = await ask('POST', `/v1/volumes/${id}/actions/${action}`, body);
      expect([402, 403]).toContain(answer.statusCode);
    }
    await suspend('abuse');
    const refused = await ask('DELETE', `/v1/volumes/${id}`);
    expect(errorOf(refused)).toMatchObject([
      403,
      'forbidden',
      { reason: 'volume_suspended', reasons: ['abuse'] },
    ]);
    await sql(`UPDATE account_suspensions SET lifted_at = now() WHERE reason = 'abuse' AND account_id = $1`, [
      owner.accountId,
    ]);
    expect((await ask('DELETE', `/v1/volumes/${id}`)).statusCode).toBe(204);
  });

  it('costs what the price book says', async () => {
    const { pricing } = (await ask('GET', '/v1/pricing')).json();
    expect(pricing.volume.price_per_gb_month.net).toMatch(/^0\.0436/);
  });
});
