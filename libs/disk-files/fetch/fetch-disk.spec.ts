import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FetchOptions, fetchDisk } from './fetch-disk.ts';
import { isPublicAddress } from './public-addresses.ts';

const exec = promisify(execFile);
const limits = { maxBytes: 1024 * 1024, timeoutSeconds: 30 };

describe('fetching a disk', () => {
  let folder: string;
  let server: Server;
  let ca: string;
  let port: number;
  let answer: RequestListener;
  let asked = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'servery-fetch-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    await exec(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'].concat(
        [
          '-subj',
          '/CN=disks.test',
          '-addext',
          'subjectAltName=DNS:disks.test,IP:127.0.0.1',
          '-keyout',
          key,
          '-out',
          cert,
        ],
      ),
    );
    ca = await readFile(cert, 'utf8');
    server = createServer({ key: await readFile(key), cert: ca }, (request, response) => {
      asked += 1;
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  const loopback: FetchOptions = { isAllowed: (address) => address === '127.0.0.1' };
  const named = (...addresses: string[]): NonNullable<FetchOptions['resolve']> =>
    ((_name: string, _options: unknown, done: (error: null, found: unknown) => void) =>
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )) as never;
  const get = (path: string, options: FetchOptions = {}, more: Partial<typeof limits> = {}) =>
    fetchDisk(
      `https://disks.test:${port}${path}`,
      join(folder, 'disk'),
      { ...limits, ...more },
      {
        ca,
        resolve: named('127.0.0.1'),
        ...options,
      },
    );
  const leavesNothing = async () => expect(await readdir(folder)).toEqual(['cert.pem', 'key.pem']);

  it('brings the bytes, and follows redirects', async () => {
    answer = (request, response) =>
      request.url === '/a' ? response.writeHead(302, { location: '/b' }).end() : response.end('a disk');
    expect(await get('/a', loopback)).toEqual({ bytes: 6 });
    expect(await readFile(join(folder, 'disk'), 'utf8')).toBe('a disk');
    await expect(get('/a', loopback)).rejects.toMatchObject({ code: 'disk_output_exists' });
    await rm(join(folder, 'disk'));
  });

  it('connects to no address that is not public, by name or as such', async () => {
    answer = (_request, response) => response.end('secret');
    const before = asked;
    for (const addresses of [
      ['127.0.0.1'],
      ['192.0.43.8', '127.0.0.1'],
      ['::ffff:127.0.0.1'],
      ['64:ff9b::7f00:1'],
    ]) {
      await expect(get('/', { resolve: named(...addresses) })).rejects.toMatchObject({
        code: 'fetch_address_refused',
      });
    }
    for (const host of [
      '127.0.0.1',
      '127.1',
      '0x7f000001',
      '2130706433',
      '[::1]',
      '[::ffff:7f00:1]',
      '169.254.169.254',
    ]) {
      const fetching = fetchDisk(`https://${host}:${port}/`, join(folder, 'disk'), limits, { ca });
      await expect(fetching, host).rejects.toMatchObject({ code: 'fetch_address_refused' });
    }
    await expect(
      fetchDisk(`https://localhost:${port}/`, join(folder, 'disk'), limits, { ca }),
    ).rejects.toMatchObject({ code: 'fetch_address_refused' });
    expect(asked).toBe(before);
    await leavesNothing();
  });

  it('looks again at each redirect, and connects where it looked though the name changes', async () => {
    answer = (_request, response) => response.writeHead(302, { location: 'https://10.0.0.1/' }).end();
    await expect(get('/', loopback)).rejects.toMatchObject({ code: 'fetch_address_refused' });
    answer = (_request, response) => response.writeHead(302, { location: 'http://disks.test/' }).end();
    await expect(get('/', loopback)).rejects.toMatchObject({ code: 'fetch_url_refused' });
    let looks = 0;
    const rebinding = ((name: string, options: object, done: never) => {
      looks += 1;
      return (named(looks === 1 ? '127.0.0.1' : '127.0.0.2') as never as (...all: unknown[]) => void)(
        name,
        options,
        done,
      );
    }) as never;
    answer = (_request, response) => response.end('a disk');
    expect(await get('/', { ...loopback, resolve: rebinding })).toEqual({ bytes: 6 });
    expect(looks).toBe(1);
    await rm(join(folder, 'disk'));
    answer = (_request, response) => response.writeHead(302, { location: '/again' }).end();
    await expect(get('/', { ...loopback, resolve: rebinding })).rejects.toMatchObject({
      code: 'fetch_address_refused',
    });
    await expect(get('/', loopback)).rejects.toMatchObject({ code: 'fetch_failed' });
    await leavesNothing();
  });

  it('ends what is too large, too slow, cut short, encoded or cancelled, and leaves nothing', async () => {
    answer = (_request, response) => response.writeHead(200, { 'content-length': '2000000' }).end();
    await expect(get('/', loopback)).rejects.toMatchObject({ code: 'fetch_too_large' });
    answer = (_request, response) => response.end(Buffer.alloc(2_000_000));
    await expect(get('/', loopback)).rejects.toMatchObject({ code: 'fetch_too_large' });
    answer = (_request, response) => void response.write('a');
    await expect(get('/', loopback, { timeoutSeconds: 1 })).rejects.toMatchObject({
      code: 'fetch_timed_out',
    });
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '10' }).write('a');
      setTimeout(() => response.destroy(), 50);
    };
    await expect(get('/', loopback)).rejects.toMatchObject({ code: 'fetch_failed' });
    answer = (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x');
    await expect(get('/', loopback)).rejects.toMatchObject({ code: 'fetch_failed' });
    const cancelled = AbortSignal.abort();
    await expect(get('/', { ...loopback, signal: cancelled })).rejects.toMatchObject({
      code: 'disk_work_cancelled',
    });
    await leavesNothing();
  });

  it.each([
    'http://disks.test/',
    'file:///etc/passwd',
    'ftp://disks.test/',
    'https://a:b@disks.test/',
    'disk',
  ])('refuses %s', async (url) => {
    await expect(fetchDisk(url, join(folder, 'disk'), limits)).rejects.toMatchObject({
      code: 'fetch_url_refused',
    });
    await leavesNothing();
  });
});

describe('a public address', () => {
  const refused = [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
  ]
    .concat([
      '192.0.0.1',
      '192.0.2.1',
      '192.168.1.1',
      '198.18.0.1',
      '198.51.100.1',
      '203.0.113.1',
      '224.0.0.1',
      '239.1.1.1',
    ])
    .concat([
      '240.0.0.1',
      '255.255.255.255',
      '::',
      '::1',
      '::ffff:127.0.0.1',
      '::ffff:8.8.8.8',
      '::7f00:1',
      '64:ff9b::7f00:1',
    ])
    .concat([
      '64:ff9b:1::1',
      '100::1',
      '2001::1',
      '2001:db8::1',
      '2002:7f00:1::1',
      'fc00::1',
      'fd12::1',
      'fe80::1',
      'fe80::1%eth0',
    ])
    .concat(['fec0::1', 'ff02::1', '3fff::1', '', 'localhost', '127.1']);
  it.each(refused)('is not %s', (address) => expect(isPublicAddress(address)).toBe(false));
  it.each(['8.8.8.8', '192.0.43.8', '172.32.0.1', '100.128.0.1', '2606:4700::1', '2a01:4f8::1'])(
    'is %s',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );
});
