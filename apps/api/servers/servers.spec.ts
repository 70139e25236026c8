import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { generateSshKeyPair } from '#libs/accounts';
import { ServerCommands } from '#libs/servers';
import { newTenant, stockMarketplace, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const api = testApi();
let tenant: Tenant;

const post = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
  api.current.request('POST', path, { token: tenant.token, body, headers });
const get = (path: string) => api.current.request('GET', path, { token: tenant.token });
const order = { name: 'web-1', server_type: 's1', image: 'web' };

beforeAll(async () => {
  await stockMarketplace(api.current);
  tenant = await newTenant(api.current, 'owner@example.com');
});

describe('the catalog on the wire', () => {
  it.each([
    '/v1/locations',
    '/v1/datacenters',
    '/v1/server_types',
    '/v1/images',
    '/v1/pricing',
    '/v1/ssh_keys',
    '/v1/actions',
    '/v1/servers',
    '/v1/servers/actions',
    '/v1/server_types?name=s1',
    '/v1/orders',
    '/v1/images?name=web&architecture=x86&type=app&sort=name:desc&include_deprecated=true',
    // As the Python library, and with it the Ansible collection, writes flags.
    '/v1/images?name=web&architecture=x86&include_deprecated=True',
    '/v1/isos?include_architecture_wildcard=False',
  ])('answers %s', async (path) => {
    const answer = await get(path);
    expect(answer.body).not.toContain('"error"');
    expect(answer.statusCode).toBe(200);
    expect(Number(answer.headers['ratelimit-remaining'])).toBeGreaterThan(0);
  });

  it('shows the shop window to strangers', async () => {
    const { products } = (await api.current.request('GET', '/v1/catalog')).json();
    expect(products[0]).toMatchObject({ name: 'web', offers: [{ in_stock: true }, {}, {}] });
  });
});

describe('a server', () => {
  it('is ordered once by 32 requests with one key, and the answer is sealed at rest', async () => {
    const headers = { 'idempotency-key': 'order-1' };
    const answers = await Promise.all(Array.from({ length: 32 }, () => post('/v1/servers', order, headers)));
    expect([...new Set(answers.map(({ statusCode }) => statusCode))]).toEqual([201]);
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers['idempotency-replayed'] === 'true')).toHaveLength(31);
    const { root_password: password } = answers[0]?.json() ?? {};
    expect(password).toMatch(/^\w{24}$/);
    expect((await get('/v1/servers')).json().servers).toHaveLength(1);
    const rows: { answer: Buffer }[] = await api.current.dataSource.query('SELECT * FROM idempotency_keys');
    expect(rows).toHaveLength(1);
    expect(rows[0]?.answer.length).toBeGreaterThan(1000);
    expect(rows[0]?.answer.includes(password)).toBe(false);
    const other = await post('/v1/servers', { ...order, name: 'web-2' }, headers);
    expect(other.json().error.code).toBe('idempotency_conflict');
  });

  it('is answered for again when the API died between the order and its answer, and ordered once', async () => {
    const { dataSource } = api.current;
    const { token } = await newTenant(api.current, 'unlucky@example.com');
    const headers = { 'idempotency-key': 'lost-answer' };
    const orderAgain = () => api.current.request('POST', '/v1/servers', { token, body: order, headers });
    const first = await orderAgain();
    expect(first.json().root_password).toMatch(/^\w{24}$/);
    // What such a kill leaves, a minute later. In the meantime the account has no room for another server.
    const loseAnswer = () =>
      dataSource.query(
        `UPDATE idempotency_keys SET answer = NULL, claim = gen_random_uuid(), claimed_until = now()
         WHERE key = 'lost-answer'`,
      );
    await loseAnswer();
    await dataSource.query(`UPDATE accounts SET max_servers = 1 WHERE email = 'unlucky@example.com'`);
    const answers = await Promise.all([orderAgain(), orderAgain(), orderAgain()]);
    for (const answer of answers) expect(answer.json()).toEqual(first.json());
    await loseAnswer();
    // The server has been handed over meanwhile: its password is still in the answer, and sealed in the database.
    const { server, root_password: password } = first.json();
    const secrets = () => dataSource.query('SELECT * FROM server_secrets WHERE server_id = $1', [server.id]);
    await dataSource.query(`DELETE FROM server_secrets WHERE server_id = $1 AND kind = 'pending_password'`, [
      server.id,
    ]);
    await dataSource.query(`UPDATE actions SET status = 'success' WHERE server_id = $1`, [server.id]);
    expect((await orderAgain()).json().root_password).toBe(password);
    for (const { sealed } of await secrets()) expect(sealed.includes(password)).toBe(false);
    await dataSource.query('UPDATE servers SET ready_at = now() WHERE id = $1', [server.id]);
    const rows = await dataSource.query('SELECT project_id FROM servers WHERE id = $1', [server.id]);
    await expect(
      api.current.get<ServerCommands>(ServerCommands).revealPassword(rows[0].project_id, server.id),
    ).rejects.toMatchObject({ code: 'credentials_gone' });
    await loseAnswer();
    await dataSource.query(
      `UPDATE server_secrets SET expires_at = now() WHERE server_id = $1 AND kind = 'root_password'`,
      [server.id],
    );
    expect((await orderAgain()).json()).toMatchObject({ server: { id: server.id }, root_password: null });
    const { servers } = (await api.current.request('GET', '/v1/servers', { token })).json();
    expect(servers.map(({ id }: { id: number }) => id)).toEqual([first.json().server.id]);
  });

  it('is shown, found by name and label, renamed, and its action has real steps', async () => {
    const [server] = (await get('/v1/servers?name=web-1')).json().servers;
    expect(server).toMatchObject({
      status: 'initializing',
      locked: true,
      servery: { appliance: 'web', ready: false },
    });
    const put = await api.current.request('PUT', `/v1/servers/${server.id}`, {
      token: tenant.token,
      body: { labels: { env: 'prod' } },
    });
    expect(put.json().server.labels).toEqual({ env: 'prod' });
    for (const [selector, count] of [
      ['env', 1],
      ['!env', 0],
      ['env in (a,prod)', 1],
      ['env!=prod', 0],
      ['x notin (a)', 1],
    ] as const) {
      const found = await get(`/v1/servers?label_selector=${encodeURIComponent(selector)}`);
      expect(found.json().meta.pagination.total_entries).toBe(count);
    }
    const [action] = (await get(`/v1/servers/${server.id}/actions`)).json().actions;
    const one = (await get(`/v1/servers/${server.id}/actions/${action.id}`)).json().action;
    expect(one.servery.steps.length).toBeGreaterThan(5);
    expect((await get(`/v1/actions?id=${action.id}`)).json().actions).toHaveLength(1);
    expect((await post(`/v1/servers/${server.id}/actions/reboot`)).statusCode).toBeGreaterThanOrEqual(409);
    expect((await post(`/v1/servers/${server.id}/actions/change_alias_ips`, {})).json().error.code).toBe(
      'unsupported_error',
    );
  });

  it('has what the Python library reads of its address without asking whether it is there', async () => {
    const [server] = (await get('/v1/servers')).json().servers;
    expect(server.public_net.ipv4).toHaveProperty('id', 0);
  });

  it('has its order and a quote', async () => {
    const [shown] = (await get('/v1/orders')).json().orders;
    expect(shown).toMatchObject({ status: 'placed', payment: { hold: 'none' } });
    const { quote } = (await post('/v1/quotes', { server_type: 's1', image: 'web' })).json();
    expect(quote).toMatchObject({ allowed: true, card_required: false, in_stock: true });
  });

  it('is taken back', async () => {
    const [server] = (await get('/v1/servers')).json().servers;
    const answer = await api.current.request('DELETE', `/v1/servers/${server.id}`, { token: tenant.token });
    expect(answer.json().action.command).toBe('delete_server');
  });
});

describe('bad input', () => {
  it.each([
    [{ ...order, colour: 'red' }, 'invalid_input', 'colour'],
    [{ ...order, name: 'not a host name' }, 'invalid_input', 'name'],
    [{ ...order, name: undefined }, 'invalid_input', 'name'],
    [{ ...order, image: 'none' }, 'invalid_input', 'image'],
    [{ ...order, server_type: 'none' }, 'invalid_input', 'server_type'],
    [{ ...order, location: 'mars' }, 'invalid_input', 'location'],
    [{ ...order, location: 'lab', datacenter: 'lab-dc1' }, 'invalid_input', 'datacenter'],
    [{ ...order, ssh_keys: ['nobody'] }, 'invalid_input', 'ssh_keys'],
    [{ ...order, labels: { '-a': 'b' } }, 'invalid_input', 'labels.-a'],
    [{ ...order, user_data: 'x'.repeat(33_000) }, 'invalid_input', 'user_data'],
    [{ ...order, volumes: [4711] }, 'invalid_input', 'volumes'],
    [{ ...order, volumes: [1, 1] }, 'invalid_input', 'volumes'],
    [{ ...order, volumes: Array.from({ length: 17 }, (_, at) => at + 1) }, 'invalid_input', 'volumes'],
    [{ ...order, networks: [1] }, 'unsupported_error', 'networks'],
    [{ ...order, firewalls: [{ firewall: 1 }] }, 'unsupported_error', 'firewalls'],
    [{ ...order, placement_group: 1 }, 'unsupported_error', 'placement_group'],
    [{ ...order, automount: 'yes' }, 'invalid_input', 'automount'],
    [{ ...order, public_net: { ipv4: 7 } }, 'unsupported_error', 'public_net.ipv4'],
    [{ ...order, public_net: { enable_ipv4: false } }, 'invalid_input', 'public_net.enable_ipv4'],
  ])('is refused (case %#)', async (body, code, field) => {
    const before = await api.current.dataSource.query('SELECT count(*) FROM servers');
    const answer = await post('/v1/servers', body);
    expect(answer.json().error).toMatchObject({ code, details: { fields: [{ name: field }] } });
    expect(answer.statusCode).toBe(422);
    expect(await api.current.dataSource.query('SELECT count(*) FROM servers')).toEqual(before);
  });

  it.each([
    ['/v1/servers?nonsense=1', 422],
    ['/v1/servers?page=0', 422],
    ['/v1/servers?sort=price', 422],
    ['/v1/servers?label_selector=a%20b', 422],
    ['/v1/servers/abc', 422],
    ['/v1/servers/99999999999999999', 422],
    ['/v1/servers/12', 404],
    ['/v1/nothing', 404],
  ])('is refused: GET %s', async (path, status) => {
    expect((await get(path)).statusCode).toBe(status);
  });

  it('is refused: broken JSON, the wrong type, the wrong method', async () => {
    const raw = (headers: Record<string, string>, payload: string) =>
      api.current.api.app.inject({
        method: 'POST',
        url: '/v1/servers',
        headers: { authorization: `Bearer ${tenant.token}`, ...headers },
        payload,
      });
    expect((await raw({ 'content-type': 'application/json' }, '{')).json().error.code).toBe('json_error');
    expect((await raw({ 'content-type': 'text/xml' }, '<a/>')).statusCode).toBe(415);
    const patched = await api.current.request('PATCH', '/v1/servers', { token: tenant.token });
    expect(patched.json().error.code).toBe('method_not_allowed');
  });
});

describe.skipIf(!existsSync('/usr/bin/hcloud'))("Debian's hcloud", () => {
  it('adds a key, orders, lists and describes', async () => {
    const { app } = api.current.api;
    await app.listen(0, '127.0.0.1');
    const run = async (...args: string[]) => {
      const env = { HCLOUD_ENDPOINT: `${await app.getUrl()}/v1`, HCLOUD_TOKEN: tenant.token, HOME: '/tmp' };
      return (await promisify(execFile)('/usr/bin/hcloud', args, { env, timeout: 30_000 })).stdout;
    };
    const key = generateSshKeyPair().publicKey;
    expect(await run('ssh-key', 'create', '--name', 'me', '--public-key', key)).toMatch(/created/);
    const created = run(
      'server',
      'create',
      '--name',
      'cli',
      '--type',
      's1',
      '--image',
      'web',
      '--ssh-key',
      'me',
    );
    const watched = created.catch((error: Error) => error.message);
    await expect.poll(() => run('server', 'list', '-o', 'noheader'), { timeout: 20_000 }).toMatch(/cli/);
    expect(await run('server', 'describe', 'cli')).toMatch(/Status:\s+initializing/);
    for (const what of ['image', 'location', 'datacenter', 'server-type', 'ssh-key']) {
      expect((await run(what, 'list')).split('\n').length).toBeGreaterThan(2);
    }
    await api.current.dataSource.query(
      "UPDATE actions SET status = 'success', progress = 100, finished_at = now()",
    );
    expect(await watched).toMatch(/created/);
  });
});
