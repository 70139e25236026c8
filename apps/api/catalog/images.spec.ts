import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { firstPrice } from '#libs/billing';
import { newTenant, stockMarketplace, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const run = promisify(execFile);
const api = testApi();
let owner: Tenant;
let stranger: Tenant;

const ask = (method: string, path: string, body?: unknown, of = owner) =>
  api.current.request(method, path, { token: of.token, body });

beforeAll(async () => {
  await stockMarketplace(api.current);
  owner = await newTenant(api.current, 'owner@example.com');
  stranger = await newTenant(api.current, 'stranger@example.com');
  await api.current.dataSource.query(
    'UPDATE accounts SET max_servers = 99, max_vcpus = 99, max_memory_mib = 999999',
  );
});

let count = 0;

/** As the workflow leaves a server that it has handed over. */
async function readyServer(): Promise<number> {
  const body = { name: `server-${count++}`, server_type: 's1', image: 'web' };
  const id = (await ask('POST', '/v1/servers', body)).json().server.id;
  const { dataSource } = api.current;
  await dataSource.query(`UPDATE servers SET ready_at = now(), observed = 'running' WHERE id = $1`, [id]);
  await dataSource.query(`UPDATE actions SET status = 'success' WHERE server_id = $1`, [id]);
  return id;
}

/** As the workflows leave what they were asked for; the server is free for the next action. */
async function settle(server: number, image?: number): Promise<void> {
  const { dataSource } = api.current;
  await dataSource.query(`UPDATE actions SET status = 'success', finished_at = now() WHERE server_id = $1`, [
    server,
  ]);
  if (image === undefined) return;
  await dataSource.query(
    `INSERT INTO frozen_disks (id, server_id, host_id, volume_name, consistency)
     SELECT $1::bigint, $2, id, 'disk-' || $1::bigint, 'filesystem' FROM hosts`,
    [image, server],
  );
  await dataSource.query(
    `UPDATE images SET status = 'available', file_size_bytes = 1 << 30, frozen_disk_id = id WHERE id = $1`,
    [image],
  );
}

/** An image as the workflow leaves it; its server is free for the next action. */
async function imageOf(server: number, body: object = {}): Promise<number> {
  const { image } = (await ask('POST', `/v1/servers/${server}/actions/create_image`, body)).json();
  await settle(server, image.id);
  return image.id;
}

async function snapshot(body: object = {}): Promise<number> {
  return imageOf(await readyServer(), body);
}

describe('a snapshot', () => {
  it('is asked for with an action, and is there at once as one that is being made', async () => {
    const id = await readyServer();
    const body = { description: 'before the upgrade', labels: { stage: 'qa' } };
    const answer = await ask('POST', `/v1/servers/${id}/actions/create_image`, body);
    expect(answer.statusCode).toBe(201);
    expect(answer.json()).toMatchObject({
      action: { command: 'create_image', status: 'running' },
      image: {
        type: 'snapshot',
        status: 'creating',
        name: null,
        description: 'before the upgrade',
        labels: { stage: 'qa' },
        image_size: null,
        created_from: { id },
      },
    });
    const { image } = answer.json();
    const order = await ask('POST', '/v1/servers', { name: 'too-early', server_type: 's1', image: image.id });
    expect([order.statusCode, order.json().error.code]).toEqual([409, 'invalid_state']);
    const again = await ask('POST', `/v1/servers/${id}/actions/create_image`, {});
    expect([again.statusCode, again.json().error.code]).toEqual([423, 'locked']);
  });

  it('is listed with the catalog, by type and label, for its project alone', async () => {
    const id = await snapshot({ labels: { of: 'listing' } });
    const list = async (query: string, of = owner) =>
      (await ask('GET', `/v1/images?${query}`, undefined, of))
        .json()
        .images.map((one: { id: number }) => one.id);
    expect(await list('label_selector=of%3Dlisting')).toEqual([id]);
    expect(await list('type=snapshot&status=available&label_selector=of')).toEqual([id]);
    expect(await list('type=snapshot', stranger)).toEqual([]);
    expect(await list('type=app')).toHaveLength((await list('type=app', stranger)).length);
  });

  it('can be named, labelled, protected and deleted by its project', async () => {
    const id = await snapshot();
    const path = `/v1/images/${id}`;
    const change = { description: 'kept', labels: { a: 'b' }, type: 'snapshot' };
    expect((await ask('PUT', path, change)).json().image).toMatchObject({
      description: 'kept',
      labels: { a: 'b' },
    });
    const protect = (isProtected: boolean) =>
      ask('POST', `${path}/actions/change_protection`, { delete: isProtected });
    expect((await protect(true)).json().action).toMatchObject({
      command: 'change_protection',
      status: 'success',
    });
    const refused = await ask('DELETE', path);
    expect([refused.statusCode, refused.json().error.code]).toEqual([403, 'protected']);
    await protect(false);
    expect((await ask('DELETE', path)).statusCode).toBe(204);
    expect((await ask('DELETE', path)).statusCode).toBe(404);
    expect((await ask('GET', path)).statusCode).toBe(404);
  });

  it('is kept while its account is suspended for abuse, and not for anything else', async () => {
    const path = `/v1/images/${await snapshot()}`;
    const suspend = (reason: string) =>
      api.current.dataSource.query(
        'INSERT INTO account_suspensions (id, account_id, reason, since) VALUES ($1, $2, $3, now())',
        [++count, owner.accountId, reason],
      );
    const lift = () => api.current.dataSource.query('UPDATE account_suspensions SET lifted_at = now()');
    await suspend('abuse');
    const refused = await ask('DELETE', path);
    expect([refused.statusCode, refused.json().error]).toMatchObject([
      403,
      { code: 'forbidden', details: { reason: 'image_suspended', reasons: ['abuse'] } },
    ]);
    await lift();
    await suspend('billing');
    await suspend('operator');
    expect((await ask('DELETE', path)).statusCode).toBe(204);
    await lift();
  });

  it('has labels and words that can be looked for and kept, as everything has', async () => {
    const path = `/v1/images/${await snapshot()}`;
    for (const [body, field] of [
      [{ labels: { 'not a key': 'x' } }, 'labels.not a key'],
      [{ labels: { a: 'not a value' } }, 'labels.a'],
      [{ labels: { a: '\0' } }, 'labels.a'],
      [{ description: '\0' }, 'description'],
    ] as const) {
      const { error } = (await ask('PUT', path, body)).json();
      expect([error.code, error.details.fields?.[0].name]).toEqual(['invalid_input', field]);
    }
  });

  it('is not there for anybody else', async () => {
    const id = await snapshot();
    const path = `/v1/images/${id}`;
    const server = await readyServer();
    const answers = [
      await ask('GET', path, undefined, stranger),
      await ask('PUT', path, { description: 'mine' }, stranger),
      await ask('DELETE', path, undefined, stranger),
      await ask('POST', `${path}/actions/change_protection`, { delete: true }, stranger),
      await ask('POST', `/v1/servers/${server}/actions/create_image`, {}, stranger),
    ];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([404, 404, 404, 404, 404]);
    const order = { name: 'stolen', server_type: 's1', image: id };
    const ordered = await ask('POST', '/v1/servers', order, stranger);
    expect([ordered.statusCode, ordered.json().error.details.fields[0].name]).toEqual([422, 'image']);
    const rebuilt = await ask('POST', `/v1/servers/${server}/actions/rebuild`, { image: id }, stranger);
    expect(rebuilt.statusCode).toBe(404);
  });
});

describe('a roll back', () => {
  it('is asked for with an action, and what the server leaves behind is an image that expires', async () => {
    const id = await readyServer();
    const image = await imageOf(id, { description: 'before the upgrade' });
    const answer = await ask('POST', `/v1/servers/${id}/actions/roll_back`, { image });
    expect([answer.statusCode, answer.json().action]).toMatchObject([
      201,
      { command: 'roll_back_server', status: 'running', resources: [{ id }, { id: image, type: 'image' }] },
    ]);
    const { images } = (await ask('GET', '/v1/images?type=snapshot&status=creating')).json();
    const kept = images.find((one: { created_from: { id: number } }) => one.created_from.id === id);
    expect(kept).toMatchObject({
      description: 'Before the roll back to before the upgrade',
      servery: { made_by: 'roll_back' },
    });
    await settle(id, kept.id);
    await api.current.dataSource.query(
      `UPDATE images SET expires_at = now() + interval '1 day' WHERE id = $1`,
      [kept.id],
    );
    const protect = await ask('POST', `/v1/images/${kept.id}/actions/change_protection`, { delete: true });
    expect([protect.statusCode, protect.json().error.code]).toEqual([422, 'invalid_input']);
    const stays = await ask('PUT', `/v1/images/${kept.id}`, { type: 'snapshot' });
    expect(stays.json().image.servery).toMatchObject({
      made_by: 'owner',
      expires_at: null,
      restore_test: null,
    });
  });

  it('is refused to what is not of the server, or of a disk of another size', async () => {
    const id = await readyServer();
    const image = await imageOf(id);
    const [web] = (await ask('GET', '/v1/images?name=web')).json().images;
    const path = `/v1/servers/${id}/actions/roll_back`;
    const refused = async (of: unknown) => {
      const answer = await ask('POST', path, { image: of });
      return [answer.statusCode, answer.json().error.details.fields[0].name];
    };
    expect(await refused(await snapshot())).toEqual([422, 'image']);
    expect(await refused(web.id)).toEqual([422, 'image']);
    expect(await refused(1)).toEqual([422, 'image']);
    const { dataSource } = api.current;
    await dataSource.query('UPDATE images SET virtual_size_bytes = virtual_size_bytes + 1 WHERE id = $1', [
      image,
    ]);
    expect(await refused(image)).toEqual([422, 'image']);
    const foreign = await ask('POST', path, { image }, stranger);
    expect(foreign.statusCode).toBe(404);
  });
});

describe('backups', () => {
  it('cost by their size, as snapshots do', async () => {
    for (const [component, hourlyMicro] of [
      ['snapshot', 2000],
      ['backup', 1000],
    ] as const) {
      const price = { item: `${component}/gib` as const, hourlyMicro, title: component };
      await firstPrice(api.current.dataSource.manager, price);
    }
    const { image, server_backup } = (await ask('GET', '/v1/pricing')).json().pricing;
    expect(image.price_per_gb_month.net).toBe('0.0134400000');
    expect(server_backup).toMatchObject({
      percentage: '0.00',
      servery: { price_per_gb_month: { net: '0.0067200000' } },
    });
  });

  const plan = async (id: number) => (await ask('GET', `/v1/servers/${id}`)).json().server;

  it('have a plan, which is changed in part and shown', async () => {
    const id = await readyServer();
    const path = `/v1/servers/${id}/actions`;
    expect(await plan(id)).toMatchObject({ backup_window: null, servery: { backup_plan: null } });
    const early = await ask('POST', `${path}/create_image`, { type: 'backup' });
    expect([early.statusCode, early.json().error.code]).toEqual([409, 'invalid_state']);

    const enabled = await ask('POST', `${path}/enable_backup`, {});
    expect(enabled.json().action).toMatchObject({ command: 'enable_backup', status: 'success' });
    const drawn = await plan(id);
    expect(drawn.backup_window).toMatch(/^\d\d-\d\d$/);
    expect(drawn.servery.backup_plan).toMatchObject({ weekday: null, keep: 7 });

    const weekly = { backup_window: '22-02', weekday: 'sunday', keep: 2 };
    await ask('POST', `${path}/enable_backup`, weekly);
    await ask('POST', `${path}/enable_backup`, { keep: 3 });
    const changed = (await plan(id)).servery.backup_plan;
    expect(changed).toMatchObject({ ...weekly, keep: 3 });
    expect(new Date(changed.next).getTime()).toBeGreaterThan(Date.now());
    await ask('POST', `${path}/enable_backup`, { weekday: null });
    expect((await plan(id)).servery.backup_plan).toMatchObject({ weekday: null, backup_window: '22-02' });
    const wrong = await ask('POST', `${path}/enable_backup`, { keep: 8 });
    expect([wrong.statusCode, wrong.json().error.details.fields[0].name]).toEqual([422, 'keep']);
  });

  it('have one without a body too, as the Python library asks for it', async () => {
    const id = await readyServer();
    expect((await ask('POST', `/v1/servers/${id}/actions/enable_backup`)).statusCode).toBe(201);
    expect((await plan(id)).backup_window).not.toBeNull();
  });

  it('are bound to their server, can be kept as snapshots, and go with the plan', async () => {
    const id = await readyServer();
    await ask('POST', `/v1/servers/${id}/actions/enable_backup`, {});
    const [kept, gone] = [await imageOf(id, { type: 'backup' }), await imageOf(id, { type: 'backup' })];
    const bound = async () => (await ask('GET', `/v1/images?type=backup&bound_to=${id}`)).json().images;
    expect((await bound()).map((one: { bound_to: number }) => one.bound_to)).toEqual([id, id]);
    const protect = await ask('POST', `/v1/images/${kept}/actions/change_protection`, { delete: true });
    expect(protect.statusCode).toBe(422);
    const converted = (await ask('PUT', `/v1/images/${kept}`, { type: 'snapshot' })).json().image;
    expect(converted).toMatchObject({ type: 'snapshot', bound_to: null, created_from: { id } });
    expect(await bound()).toHaveLength(1);
    expect((await ask('POST', `/v1/servers/${id}/actions/disable_backup`)).json().action.status).toBe(
      'success',
    );
    const found = [kept, gone].map(async (one) => (await ask('GET', `/v1/images/${one}`)).statusCode);
    expect(await Promise.all(found)).toEqual([200, 404]);
  });

  it('become snapshots, which cost, for those alone who may order; a snapshot of theirs stays as it is', async () => {
    const { dataSource } = api.current;
    const id = await readyServer();
    await ask('POST', `/v1/servers/${id}/actions/enable_backup`, {});
    const backup = await imageOf(id, { type: 'backup' });
    const left = await imageOf(id);
    await dataSource.query(`UPDATE images SET expires_at = now() + interval '1 day' WHERE id = $1`, [left]);
    const own = await imageOf(id);
    await dataSource.query('UPDATE cards SET expiry_year = 2020');
    const keep = (image: number, body: object = { type: 'snapshot' }) =>
      ask('PUT', `/v1/images/${image}`, body);
    for (const image of [backup, left]) {
      const refused = await keep(image);
      expect([refused.statusCode, refused.json().error.details.reason]).toEqual([402, 'card_expired']);
    }
    expect((await keep(own)).statusCode).toBe(200);
    expect((await keep(backup, { description: 'nightly' })).statusCode).toBe(200);
    await dataSource.query('UPDATE cards SET expiry_year = 2099');
    expect((await keep(backup)).json().image.type).toBe('snapshot');
    expect((await keep(left)).json().image.servery.expires_at).toBeNull();
  });
});

describe("Debian's hcloud", () => {
  it('makes backups and snapshots, names, keeps and deletes them, and rebuilds from one', async () => {
    const { app } = api.current.api;
    await app.listen(0, '127.0.0.1');
    const id = await readyServer();
    const home = await mkdtemp(join(tmpdir(), 'servery-hcloud-'));
    const env = {
      PATH: process.env.PATH,
      HOME: home,
      HCLOUD_ENDPOINT: `${await app.getUrl()}/v1`,
      HCLOUD_TOKEN: owner.token,
    };
    const hcloud = async (...args: string[]) => (await run('hcloud', args, { env, timeout: 60_000 })).stdout;
    const described = async () => JSON.parse(await hcloud('server', 'describe', String(id), '-o', 'json'));
    /** Runs a command that waits for its action, while the workflow does its part. */
    const worked = async (...args: string[]) => {
      const command = hcloud(...args);
      const asked = async () =>
        (await ask('GET', `/v1/servers/${id}/actions?status=running`)).json().actions[0]?.resources;
      await expect.poll(asked, { timeout: 30_000 }).toBeDefined();
      const image = (await asked()).find(({ type }: { type: string }) => type === 'image')?.id;
      await settle(id, args.includes('create-image') ? image : undefined);
      return { output: await command, image };
    };

    await hcloud('server', 'enable-backup', String(id));
    expect((await described()).backup_window).toMatch(/^\d\d-\d\d$/);
    const backup = await worked('server', 'create-image', '--type', 'backup', String(id));
    const snapshot = await worked(
      'server',
      'create-image',
      '--type',
      'snapshot',
      '--description',
      'one',
      String(id),
    );
    expect(snapshot.output).toContain(`Image ${snapshot.image} created`);
    const images = await hcloud('image', 'list', '-t', 'backup', '-o', 'noheader', '-o', 'columns=id,type');
    expect(images).toMatch(new RegExp(`^${backup.image}\\s+backup\\s*$`));
    await hcloud('image', 'update', String(backup.image), '--type', 'snapshot', '--description', 'kept');
    const changed = await hcloud('image', 'describe', String(backup.image));
    expect(changed).toMatch(/Type:\s+snapshot/);
    expect(changed).toMatch(/Description:\s+kept/);
    await worked('server', 'rebuild', String(id), '--image', String(snapshot.image));
    await hcloud('image', 'delete', String(snapshot.image));
    await hcloud('server', 'disable-backup', String(id));
    expect((await described()).backup_window).toBeFalsy();
    await rm(home, { recursive: true });
  });
});

describe('an image of the catalog', () => {
  it('cannot be changed or deleted', async () => {
    const [web] = (await ask('GET', '/v1/images?name=web')).json().images;
    for (const [method, path, body] of [
      ['PUT', '', { description: 'mine' }],
      ['DELETE', '', undefined],
      ['POST', '/actions/change_protection', { delete: true }],
    ] as const) {
      const answer = await ask(method, `/v1/images/${web.id}${path}`, body);
      expect([method, answer.statusCode]).toEqual([method, 403]);
    }
  });
});
