import { createServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateSshKeyPair } from '#libs/accounts';
import { newUuid } from '#libs/kernel';
import type { HostRef } from '../port/hosts.ts';
import { NetworkGuestReach, parseGuestProxy } from './index.ts';

const host: HostRef = {
  id: 1,
  name: 'kvm1',
  uri: 'qemu:///system',
  domainType: 'qemu',
  imagePool: 'images',
  diskPool: 'disks',
  bridge: 'br0',
};
const socketPath = join(tmpdir(), `servery-proxy-${newUuid().slice(0, 8)}`);
const keys = generateSshKeyPair();
const rsa = ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 });
const opened: { close(): unknown }[] = [];

async function listen(server: Server | HttpServer | ssh2.Server, at: number | string = 0): Promise<number> {
  opened.push(server);
  await new Promise<void>((resolve) => {
    if (typeof at === 'string') server.listen(at, resolve);
    else server.listen(at, '127.0.0.1', resolve);
  });
  const address = server.address() as AddressInfo | string | null;
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const ports = { ssh: 0, rsaOnly: 0, web: 0, silent: 0, closed: 1 };
let proxied: string[] = [];

beforeAll(async () => {
  const quiet = (client: ssh2.Connection) => void client.on('error', () => undefined);
  ports.ssh = await listen(new ssh2.Server({ hostKeys: [keys.privateKey] }, quiet));
  ports.rsaOnly = await listen(new ssh2.Server({ hostKeys: [rsa.private] }, quiet));
  ports.silent = await listen(createTcpServer());
  ports.web = await listen(
    createServer((request, response) => {
      response.statusCode = request.url === '/health' ? 200 : 404;
      response.end(request.url === '/big' ? 'x'.repeat(1_000_000) : `you asked for ${request.url}`);
    }),
  );
  const proxy = createServer().on('connect', (request, client) => {
    proxied.push(request.url ?? '');
    const [address, port] = (request.url ?? '').split(':');
    const guest = connect(Number(port), address);
    guest.once('connect', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      guest.pipe(client).pipe(guest);
    });
    guest.once('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
    client.on('error', () => guest.destroy());
  });
  await listen(proxy, socketPath);
});
afterAll(() => {
  for (const server of opened) server.close();
});

describe.each([
  ['directly', undefined],
  ['through a proxy', `unix:${socketPath}`],
])('a guest reached %s', (_how, proxy) => {
  const reach = new NetworkGuestReach(parseGuestProxy(proxy));

  it('shows its ed25519 host key', async () => {
    proxied = [];
    expect(await reach.readSshHostKey(host, '127.0.0.1', ports.ssh)).toBe(keys.publicKey);
    expect(proxied).toEqual(proxy ? [`127.0.0.1:${ports.ssh}`] : []);
  });

  it.each(['rsaOnly', 'web', 'closed'] as const)('shows no key where there is none: %s', async (service) => {
    expect(await reach.readSshHostKey(host, '127.0.0.1', ports[service])).toBeNull();
  });

  it('answers HTTP with its status and a bounded body', async () => {
    const get = (path: string) => reach.httpGet(host, '127.0.0.1', ports.web, path);
    expect(await get('/health')).toEqual({ status: 200, body: 'you asked for /health' });
    expect(await get('/other')).toMatchObject({ status: 404 });
    expect((await get('/big'))?.body).toHaveLength(65_536);
  });

  it('is null where nothing answers in time', async () => {
    const options = { timeoutSeconds: 0.2 };
    expect(await reach.httpGet(host, '127.0.0.1', ports.silent, '/', options)).toBeNull();
    expect(await reach.httpGet(host, '127.0.0.1', ports.closed, '/', options)).toBeNull();
    expect(await reach.tcpOpen(host, '127.0.0.1', ports.closed)).toBe(false);
    expect(await reach.tcpOpen(host, '127.0.0.1', ports.silent)).toBe(true);
  });
});

it('refuses a proxy that is not written as one', () => {
  expect(parseGuestProxy('')).toBeUndefined();
  expect(() => parseGuestProxy('http://proxy:3128')).toThrow(RangeError);
});
