import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sleep } from '#libs/kernel';
import { freePort } from '../../../../test/support/ports.ts';
import { dialLibvirt, PROCEDURE, RpcConnection, XdrWriter } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'servery-dial-tls-'));
const said = join(folder, 'libvirtd.log');
let daemon: ChildProcess | undefined;
let port = 0;

/** Runs `openssl` with the words of each line. */
function openssl(...lines: string[]): void {
  const words = lines.flatMap((line) => line.split(' '));
  execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
}

/** A certificate that `issuer` has signed; all names are paths below the folder. */
function certify(issuer: string, name: string, extension: string): void {
  openssl(`req -newkey rsa:2048 -nodes -keyout ${name}key.pem -out request.pem -subj /CN=${issuer}`);
  writeFileSync(join(folder, 'extensions'), extension);
  const by = `-CA ${issuer}/cacert.pem -CAkey ${issuer}/cakey.pem -CAcreateserial`;
  openssl('x509 -req -in request.pem -days 2 -extfile extensions', by, `-out ${name}cert.pem`);
}

function authority(name: string): void {
  mkdirSync(join(folder, name));
  const files = `-keyout ${name}/cakey.pem -out ${name}/cacert.pem`;
  openssl('req -x509 -newkey rsa:2048 -nodes -subj /CN=authority -days 2', files);
}

/** The machine's own libvirtd, which listens by TLS alone, with nothing of the machine's own libvirt in its sight. */
function startLibvirtd(): ChildProcess {
  const settings = {
    ...{ listen_tls: 1, listen_tcp: 0, tls_port: String(port), listen_addr: '127.0.0.1', auth_tls: 'none' },
    ...{
      ca_file: `${folder}/known/cacert.pem`,
      cert_file: `${folder}/servercert.pem`,
      key_file: `${folder}/serverkey.pem`,
    },
    ...{ unix_sock_dir: '/run/libvirt', host_uuid: '2f0c1a52-6d2e-4b53-9a26-0a4c4d6a6f01' },
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
  writeFileSync(join(folder, 'libvirtd.conf'), lines.join(''));
  const places = [
    '/run/libvirt',
    '/var/lib/libvirt',
    '/var/cache/libvirt',
    '/var/log/libvirt',
    '/etc/libvirt',
  ];
  const alone = places.map((place) => `mkdir -p ${place} && mount -t tmpfs tmpfs ${place}`).join(' && ');
  const start = `${alone} && exec libvirtd --listen --config ${folder}/libvirtd.conf`;
  return spawn('unshare', ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', start], {
    stdio: ['ignore', 'ignore', openSync(said, 'w')],
  });
}

async function answers({ exitCode }: ChildProcess): Promise<boolean> {
  if (exitCode !== null) throw new Error(`libvirtd ended with ${exitCode}: ${readFileSync(said, 'utf8')}`);
  const dialled = await dialLibvirt(uri('known')).catch(() => undefined);
  dialled?.destroy();
  return dialled !== undefined;
}

/** With the certificate of a client whose issuer the host knows, or does not. */
function uri(client: 'known' | 'unknown', host = '127.0.0.1'): string {
  return `qemu+tls://${host}:${port}/system?pkipath=${folder}/${client}`;
}

beforeAll(async () => {
  authority('known');
  authority('unknown');
  certify('known', 'server', 'subjectAltName = IP:127.0.0.1');
  for (const client of ['known', 'unknown'])
    certify(client, `${client}/client`, 'extendedKeyUsage = clientAuth');
  // Both know the host.
  copyFileSync(join(folder, 'known/cacert.pem'), join(folder, 'unknown/cacert.pem'));
  port = await freePort();
  daemon = startLibvirtd();
  while (!(await answers(daemon))) await sleep(200);
});

afterAll(async () => {
  if (daemon?.exitCode === null) {
    daemon.kill('SIGKILL');
    await once(daemon, 'exit');
  }
  rmSync(folder, { recursive: true });
});

describe('a libvirt that is reached by TLS', () => {
  it('answers who has a certificate that it trusts', async () => {
    const connection = new RpcConnection(await dialLibvirt(uri('known')));
    try {
      const kinds = await connection.call(PROCEDURE.authList);
      expect([kinds.int(), kinds.int()]).toEqual([1, 0]);
      await connection.call(PROCEDURE.connectOpen, new XdrWriter().optional('qemu:///system').int(0));
    } finally {
      connection.destroy();
    }
  });

  it('refuses who has a certificate of another authority', async () => {
    await expect(dialLibvirt(uri('unknown'))).rejects.toThrow(/certificate|alert/);
  });

  it('is refused itself where its certificate is of another name', async () => {
    await expect(dialLibvirt(uri('known', 'localhost'))).rejects.toThrow(/altnames|does not match/);
  });
});
