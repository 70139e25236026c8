import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { AuditService } from '#libs/accounts';
import { CONSOLE_CLOSE, type ConsoleClose, type RequestConsoleWire } from '#libs/contracts';
import { answerTo } from '../../apps/worker/consoles/rfb-door.ts';
import { freePort } from '../support/ports.ts';
import { ConsoleWorld } from './console-world.ts';
import { newTenant, stockMarketplace, type Tenant } from './marketplace.ts';
import { testApi } from './test-api.ts';

/** The whole way: the API, which passes on, a worker's gateway, and machines of a simulated host. */
const workerPort = await freePort();
const api = testApi(undefined, { SERVERY_WORKER_URL: `http://127.0.0.1:${workerPort}` });
const HOST = 'kvm-1';
const STOREFRONT = 'http://127.0.0.1:8080';
const ENTER = '\r';
const SOON = { timeout: 5000, interval: 20 };

let world: ConsoleWorld;
let apiPort: number;
let owner: Tenant;
let stranger: Tenant;
let serverId: number;
let uuid: string;
const clients: WebSocket[] = [];

beforeAll(async () => {
  await stockMarketplace(api.current);
  owner = await newTenant(api.current, 'owner@example.com');
  stranger = await newTenant(api.current, 'stranger@example.com');
  await api.current.dataSource.query(
    'UPDATE accounts SET max_servers = 99, max_vcpus = 99, max_memory_mib = 999999',
  );
  world = new ConsoleWorld(api.current, workerPort);
  await api.current.api.app.listen(0, '127.0.0.1');
  apiPort = (api.current.api.app.getHttpServer().address() as AddressInfo).port;
});
afterAll(() => world.close());

beforeEach(async () => {
  await world.startWorker();
  ({ serverId, uuid } = await world.runningServer(owner, `s-${Date.now()}`));
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  await world.stopWorker();
  world.fleet.change(HOST, { guestFault: null, unreachable: false });
});

interface Asked {
  readonly as?: { readonly token?: string; readonly cookie?: string };
  readonly body?: object;
}

function ask({ as = { token: owner.token }, body = { type: 'serial' } }: Asked = {}) {
  return api.current.request('POST', `/v1/servers/${serverId}/actions/request_console`, { ...as, body });
}

async function granted(asked: Asked = {}): Promise<RequestConsoleWire> {
  const answer = await ask(asked);
  expect([answer.statusCode, answer.body]).toEqual([201, expect.stringContaining('wss_url')]);
  return answer.json();
}

interface Opening {
  readonly origin?: string;
  readonly cookie?: string;
  readonly bearer?: string;
}

/** A client on its way in: what it hears, and how that ends. */
function dial({ wss_url }: Pick<RequestConsoleWire, 'wss_url'>, { origin, cookie, bearer }: Opening = {}) {
  const url = new URL(wss_url);
  expect(url.origin).toBe('ws://127.0.0.1:8080');
  url.port = String(apiPort);
  const client = new WebSocket(url, {
    ...(origin !== undefined && { origin }),
    headers: { ...(cookie && { cookie }), ...(bearer && { authorization: `Bearer ${bearer}` }) },
  });
  clients.push(client);
  let heard = '';
  let ended: { code: number; reason: string } | undefined;
  let status: number | undefined;
  client.on('message', (bytes: Buffer) => {
    heard += bytes.toString('latin1');
  });
  client.on('unexpected-response', (_request, response) => {
    status = response.statusCode;
    response.resume();
    client.emit('close', 0, Buffer.alloc(0));
  });
  client.on('error', () => undefined);
  client.on('close', (code: number, reason: Buffer) => {
    ended ??= { code, reason: String(reason) };
  });
  return { client, heard: () => heard, ended: () => ended, status: () => status };
}

type Client = ReturnType<typeof dial>;

async function opened(console: RequestConsoleWire, opening?: Opening): Promise<Client> {
  const client = dial(console, opening);
  await expect.poll(client.heard, SOON).toMatch(/login: $/);
  return client;
}

const refused = (client: Client) => expect.poll(client.status, SOON).toBe(403);
const cut = (client: Client, why: ConsoleClose) =>
  expect.poll(client.ended, SOON).toEqual({ code: CONSOLE_CLOSE[why], reason: expect.stringMatching(/\w/) });

describe('a console', () => {
  it('is asked for in Hetzner’s words, and passes bytes both ways', async () => {
    const answer = await granted({ body: { type: 'serial' } });
    expect(answer.action).toMatchObject({
      ...{ command: 'request_console', status: 'success', progress: 100 },
      resources: [{ id: serverId, type: 'server' }],
    });
    const client = await opened(answer);
    client.client.send(`who is there?${ENTER}`);
    await expect.poll(client.heard, SOON).toContain('who is there?\r\n');
  });

  it('leaves an entry when it is asked for, and one when it is opened', async () => {
    await opened(await granted());
    const entries = await new AuditService(api.current.dataSource).list({
      subject: { kind: 'server', id: serverId },
      limit: 2,
    });
    expect(entries).toMatchObject([
      { action: 'server.open_console', actorKind: 'token', detail: { kind: 'serial' }, ip: '127.0.0.1' },
      { action: 'server.request_console', actorKind: 'token' },
    ]);
  });

  it('keeps nothing that opens it', async () => {
    const path = `/v1/servers/${serverId}/actions/request_console`;
    const { wss_url, password } = (await api.current.request('POST', path, { token: owner.token })).json();
    const rows = await api.current.dataSource.query('SELECT to_jsonb(consoles) AS row FROM consoles');
    const token = new URL(wss_url).searchParams.get('token') ?? '';
    expect(token).toHaveLength(64);
    for (const secret of [token, password]) expect(JSON.stringify(rows)).not.toContain(secret);
  });

  it('is not to be had with a token that may only read, nor of somebody else’s server', async () => {
    expect((await ask({ as: { token: owner.readToken } })).json().error.code).toBe('token_readonly');
    expect((await ask({ as: { token: stranger.token } })).statusCode).toBe(404);
  });

  it('is refused for a server that is off, or being deleted, or suspended', async () => {
    const { dataSource } = api.current;
    await dataSource.query("UPDATE servers SET observed = 'off' WHERE id = $1", [serverId]);
    expect((await ask()).json().error).toMatchObject({ details: { reason: 'server_must_run' } });
    await dataSource.query("UPDATE servers SET observed = 'running' WHERE id = $1", [serverId]);
    const suspension = [1, owner.accountId];
    await dataSource.query(
      "INSERT INTO account_suspensions (id, account_id, reason, note, since) VALUES ($1, $2, 'operator', '', now())",
      suspension,
    );
    expect((await ask()).json().error).toMatchObject({ details: { reason: 'server_suspended' } });
    await dataSource.query('DELETE FROM account_suspensions');
    await dataSource.query("UPDATE servers SET desired = 'deleted' WHERE id = $1", [serverId]);
    expect((await ask()).statusCode).toBe(423);
  });
});

describe('a token is refused', () => {
  it('the second time, and when two use it at once', async () => {
    const console = await granted();
    const both = [dial(console), dial(console)];
    await expect
      .poll(() => both.map(({ status }) => status()).filter((one) => one === 403), SOON)
      .toHaveLength(1);
    await expect.poll(() => both.filter(({ heard }) => heard().endsWith('login: ')), SOON).toHaveLength(1);
    await refused(dial(console));
  });

  it('after 60 seconds', async () => {
    const { dataSource } = api.current;
    const console = await granted();
    const [row] = await dataSource.query(
      'SELECT extract(epoch FROM expires_at - now())::float8 AS seconds FROM consoles WHERE opened_at IS NULL AND server_id = $1',
      [serverId],
    );
    expect(row.seconds).toBeGreaterThan(50);
    expect(row.seconds).toBeLessThanOrEqual(60);
    await dataSource.query(
      "UPDATE consoles SET created_at = created_at - interval '61 seconds', expires_at = expires_at - interval '61 seconds'",
    );
    await refused(dial(console));
  });

  it('to another tenant, and is used up by that', async () => {
    for (const opening of [{ cookie: stranger.cookie }, { bearer: stranger.token }]) {
      const console = await granted();
      await refused(dial(console, opening));
      await refused(dial(console));
    }
    await opened(await granted(), { bearer: owner.token });
  });

  it('to whoever is not in the session that asked for it', async () => {
    const asked = { as: { cookie: owner.cookie } };
    const origin = STOREFRONT;
    await refused(dial(await granted(asked), { origin }));
    await refused(dial(await granted(asked), { origin, cookie: stranger.cookie }));
    await refused(dial(await granted(asked), { origin, bearer: owner.token }));
    await opened(await granted(asked), { origin, cookie: owner.cookie });
  });

  it('from a foreign origin', async () => {
    const session = { as: { cookie: owner.cookie } };
    const foreign = { origin: 'https://evil.example', cookie: owner.cookie };
    await refused(dial(await granted(session), foreign));
    await refused(dial(await granted(session), { cookie: owner.cookie }));
    await refused(dial(await granted(), { origin: 'https://evil.example' }));
    await refused(dial(await granted(), { origin: 'null' }));
    const body = { type: 'serial', origin: 'https://panel.example' };
    await refused(dial(await granted({ body })));
    await refused(dial(await granted({ body }), { origin: STOREFRONT }));
    await opened(await granted({ body }), { origin: 'https://panel.example' });
    expect((await ask({ body: { origin: 'panel.example/path' } })).statusCode).toBe(422);
  });

  it('after the server’s deletion, for another server, and when it was never one', async () => {
    const console = await granted();
    const other = new URL(console.wss_url);
    other.searchParams.set('server_id', '4711');
    await refused(dial({ wss_url: other.href }));
    const late = await granted();
    await api.current.request('DELETE', `/v1/servers/${serverId}`, { token: owner.token });
    await refused(dial(late));
    await refused(
      dial({ wss_url: `ws://127.0.0.1:8080/v1/consoles?server_id=${serverId}&token=${'x'.repeat(64)}` }),
    );
    await refused(dial({ wss_url: 'ws://127.0.0.1:8080/v1/consoles' }));
  });
});

describe('an open console is cut', () => {
  it('when the server goes, whoever deletes it', async () => {
    const client = await opened(await granted());
    await api.current.request('DELETE', `/v1/servers/${serverId}`, { token: owner.token });
    await cut(client, 'server_deleted');
  });

  it('when its machine goes', async () => {
    const client = await opened(await granted());
    world.fleet.removeDomain(HOST, uuid);
    await cut(client, 'ended');
  });

  it('when its account is suspended', async () => {
    const { dataSource } = api.current;
    const client = await opened(await granted());
    await dataSource.query(
      "INSERT INTO account_suspensions (id, account_id, reason, note, since) VALUES (2, $1, 'operator', '', now())",
      [owner.accountId],
    );
    await cut(client, 'server_suspended');
    await dataSource.query('DELETE FROM account_suspensions');
  });

  it('when the session or the token that asked for it ends', async () => {
    const { dataSource } = api.current;
    const person = await newTenant(api.current, `p${Date.now()}@example.com`);
    await dataSource.query('UPDATE servers SET account_id = $2, project_id = $3 WHERE id = $1', [
      serverId,
      person.accountId,
      person.projectId,
    ]);
    const bySession = await opened(await granted({ as: { cookie: person.cookie } }), {
      ...{ origin: STOREFRONT, cookie: person.cookie },
    });
    await dataSource.query('DELETE FROM sessions WHERE account_id = $1', [person.accountId]);
    await cut(bySession, 'access_lost');
    const byToken = await opened(await granted({ as: { token: person.token } }));
    await dataSource.query('UPDATE api_tokens SET revoked_at = now() WHERE project_id = $1', [
      person.projectId,
    ]);
    await cut(byToken, 'access_lost');
  });

  it('when it is opened once more: there is one of each kind', async () => {
    const first = await opened(await granted());
    const second = await opened(await granted());
    await cut(first, 'opened_elsewhere');
    expect(second.ended()).toBeUndefined();
  });

  it('when nothing passes, and after its longest time', async () => {
    await world.stopWorker();
    await world.startWorker({ idleSeconds: 0.5 });
    await cut(await opened(await granted()), 'idle');
    await world.stopWorker();
    await world.startWorker({ openSeconds: 0.5 });
    await cut(await opened(await granted()), 'time_is_up');
  });

  it('when it says too much at once', async () => {
    const client = await opened(await granted());
    client.client.send('x'.repeat(64 * 1024 + 1));
    await expect.poll(client.ended, SOON).toMatchObject({ code: 1009 });
  });

  it('when the worker stops', async () => {
    const client = await opened(await granted());
    world.tellWorker();
    await cut(client, 'ended');
  });
});

it('does not pile up what a guest prints without end', async () => {
  const { client, heard } = await opened(await granted());
  client.send(`yes${ENTER}`);
  await expect.poll(() => heard().length, SOON).toBeGreaterThan(100_000);
  client.pause();
  await pause(500);
  const before = process.memoryUsage().rss;
  await pause(2000);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 ** 2);
  expect(client.readyState).toBe(WebSocket.OPEN);
});

describe('a screen', () => {
  const RFB = 'RFB 003.008\n';

  async function withPassword(console: RequestConsoleWire, password = console.password): Promise<Client> {
    const screen = dial(console);
    await expect.poll(screen.heard, SOON).toBe(RFB);
    screen.client.send(Buffer.from(RFB));
    await expect.poll(screen.heard, SOON).toBe(`${RFB}\u0001\u0002`);
    screen.client.send(Buffer.from([2]));
    await expect.poll(() => screen.heard().length, SOON).toBe(RFB.length + 2 + 16);
    const challenge = Buffer.from(screen.heard().slice(-16), 'latin1');
    screen.client.send(answerTo(challenge, password));
    return screen;
  }

  it('asks for the password of the answer, and is a screen from then on', async () => {
    const console = await granted({ body: {} });
    expect(console.password).toMatch(/^[\w-]{8}$/);
    const screen = await withPassword(console);
    await expect.poll(() => screen.heard().slice(30), SOON).toBe('\0\0\0\0');
    screen.client.send(Buffer.from([1]));
    await expect.poll(screen.heard, SOON).toContain('simulated');
  });

  it('refuses another password', async () => {
    const screen = await withPassword(await granted({ body: { type: 'vnc' } }), 'password');
    await expect.poll(screen.heard, SOON).toContain('\0\0\0\u0001');
    await cut(screen, 'wrong_password');
  });

  it('says what to do where the machine was started without one', async () => {
    world.fleet.change(HOST, { guestFault: 'no_screen' });
    const screen = dial(await granted({ body: {} }));
    await cut(screen, 'not_there');
    expect(screen.ended()?.reason).toContain('switch it off and on again');
    await opened(await granted());
  });

  it('says so where the host does not answer', async () => {
    world.fleet.change(HOST, { unreachable: true });
    await cut(dial(await granted({ body: {} })), 'host_unreachable');
  });
});

describe('the API', () => {
  it('says so when no worker is there', async () => {
    await world.stopWorker();
    await expect.poll(dial(await granted()).status, SOON).toBe(503);
    await world.startWorker();
  });

  it('keeps no console open for a client that does not shake hands', async () => {
    const { pathname, search } = new URL((await granted()).wss_url);
    const socket = connect(apiPort, '127.0.0.1');
    socket.write(
      `GET ${pathname}${search} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`,
    );
    const [bytes] = await once(socket, 'data');
    expect(String(bytes)).toMatch(/^HTTP\/1.1 4/);
    const isClosed = async () => {
      const sql = 'SELECT bool_and(closed_at IS NOT NULL) AS closed FROM consoles WHERE server_id = $1';
      return (await api.current.dataSource.query(sql, [serverId]))[0].closed;
    };
    await expect.poll(isClosed, SOON).toBe(true);
    socket.destroy();
  });

  it('answers whoever wants another protocol in its own', async () => {
    const socket = connect(apiPort, '127.0.0.1');
    socket.write(
      'GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n\r\n',
    );
    const [bytes] = await once(socket, 'data');
    expect(String(bytes)).toMatch(/^HTTP\/1.1 200/);
    socket.destroy();
  });
});
