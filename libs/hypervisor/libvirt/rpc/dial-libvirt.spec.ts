import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import ssh2 from 'ssh2';
import { afterAll, expect, it } from 'vitest';
import { generateSshKeyPair } from '#libs/accounts';
import { dialLibvirt } from './dial-libvirt.ts';

const folder = mkdtempSync(join(tmpdir(), 'servery-dial-'));
const servers: { close(): unknown }[] = [];
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

/** What it says back to a greeting. */
async function greeted(connection: Duplex): Promise<string> {
  connection.write('hello');
  const [bytes] = await once(connection, 'data');
  connection.destroy();
  return String(bytes);
}

const echo = (name: string) =>
  createServer((client) => client.on('data', (bytes) => client.end(`${name}: ${bytes}`)));

async function listen(server: Server, where: string | number): Promise<void> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(where, resolve));
}

it('goes by the socket that the URI names', async () => {
  const path = join(folder, 'libvirt.sock');
  await listen(echo('unix'), path);
  expect(await greeted(await dialLibvirt(`qemu+unix:///system?socket=${path}`))).toBe('unix: hello');
});

it('goes by TCP', async () => {
  const server = echo('tcp');
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  expect(await greeted(await dialLibvirt(`qemu+tcp://127.0.0.1:${port}/system`))).toBe('tcp: hello');
});

it('goes by SSH, with the key, the user and the port of the URI, to the program of libvirt there', async () => {
  const { privateKey } = generateSshKeyPair();
  const keyfile = join(folder, 'key');
  writeFileSync(keyfile, privateKey, { mode: 0o600 });
  const helper = join(folder, 'virt-ssh-helper');
  writeFileSync(helper, '#!/bin/sh\nread -r line\necho "$1: $line"\n');
  chmodSync(helper, 0o755);
  const users: string[] = [];
  const host = new ssh2.Server({ hostKeys: [privateKey] }, (client) => {
    client
      .on('error', () => undefined)
      .on('authentication', (attempt) => {
        users.push(attempt.username);
        if (attempt.method === 'publickey') attempt.accept();
        else attempt.reject(['publickey']);
      });
    client.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        const shell = spawn('sh', ['-c', command], { env: { PATH: `${folder}:/usr/bin:/bin` } });
        channel.pipe(shell.stdin);
        shell.stdout.pipe(channel);
      });
    });
  });
  await listen(host as unknown as Server, 0);
  const { port } = (host as unknown as Server).address() as AddressInfo;
  const query = new URLSearchParams({ keyfile, known_hosts: join(folder, 'known'), no_verify: '1' });
  const connection = await dialLibvirt(`qemu+ssh://operator@127.0.0.1:${port}/system?${query}`);
  connection.write('hello\n');
  const [bytes] = await once(connection, 'data');
  connection.destroy();
  expect(String(bytes)).toBe('qemu:///system: hello\n');
  expect(new Set(users)).toEqual(new Set(['operator']));
});

it('says so where nothing listens, and of transports that it does not know', async () => {
  await expect(dialLibvirt(`qemu+unix:///system?socket=${folder}/none`)).rejects.toThrow('ENOENT');
  await expect(dialLibvirt('qemu+ext:///system')).rejects.toThrow('transport "ext"');
});
