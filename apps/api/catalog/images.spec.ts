import { beforeAll, describe, expect, it } from 'vitest';
import { newTenant, stockMarketplace, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const api = testApi();
let owner: Tenant;
let stranger: Tenant;

const ask = (method: string, path: string, body?: unknown, of = owner) =>
  api.current.request(method, path, { token: of.token, body });

beforeAll(async () => {
  await stockMarketplace(api.current);
  owner = await newTenant(api.current, 'owner@example.com');
  stranger = await newTenant(api.current, 'stranger@example.com');
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

/** As the workflow leaves a snapshot that it has made; its server is free for the next action. */
async function snapshot(body: object = {}): Promise<number> {
  const id = await readyServer();
  const { image } = (await ask('POST', `/v1/servers/${id}/actions/create_image`, body)).json();
  const { dataSource } = api.current;
  await dataSource.query(`UPDATE images SET status = 'available', file_size_bytes = 1 << 30 WHERE id = $1`, [
    image.id,
  ]);
  await dataSource.query(`UPDATE actions SET status = 'success' WHERE server_id = $1`, [id]);
  return image.id;
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
    expect([order.statusCode, order.json().error.code]).toEqual([409, 'conflict']);
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
