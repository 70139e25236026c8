import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../../test/support/ports.ts';
import { dialLibvirt, PROCEDURE, RpcConnection, XdrWriter } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'servery-dial-tls-'));
/** As `pkipath` names it: the files of a client whose certificate the host knows the issuer of. */
const known = join(folder, 'known');
/** One with a certificate of its own making. */
const unknown = join(folder, 'unknown');
let daemon: ChildProcess;
let port = 0;

const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });

/** A certificate that `issuer` has signed. */
function certify(issuer: string, path: string, subject: string, extensions: string): void {
  openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    `${path}key.pem`,
    '-out',
    'request.pem',
    '-subj',
    subject,
  );
  writeFileSync(join(folder, 'extensions'), extensions);
  const by = ['-CA', `${issuer}/cacert.pem`, '-CAkey', `${issuer}/cakey.pem`, '-CAcreateserial'];
  openssl(
    'x509',
    '-req',
    '-in',
    'request.pem',
    ...by,
    '-days',
    '2',
    '-extfile',
    'extensions',
    '-out',
    `${path}cert.pem`,
  );
}

function authority(path: string): void {
  mkdirSync(path);
  const files = ['-keyout', `${path}/cakey.pem`, '-out', `${path}/cacert.pem`];
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, '-subj', '/CN=authority', '-days', '2');
}

/** The machine's own libvirtd, which listens by TLS alone, with nothing of the machine's own libvirt in its sight. */
async function startLibvirtd(): Promise<ChildProcess> {
  const settings = {
    ...{ listen_tls: 1, listen_tcp: 0, tls_port: String(port), listen_addr: '127.0.0.1', auth_tls: 'none' },
    ...{
      ca_file: `${known}/cacert.pem`,
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
  const child = spawn('unshare', ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', start], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  for (;;) {
    if (child.exitCode !== null) throw new Error(`libvirtd ended with ${child.exitCode}: ${said}`);
    const dialled = await dialLibvirt(uri(known)).catch(() => undefined);
    dialled?.destroy();
    if (dialled) return child;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function uri(pki: string, host = '127.0.0.1'): string {
  return `qemu+tls://${host}:${port}/system?pkipath=${pki}`;
}

beforeAll(async () => {
  authority(known);
  authority(unknown);
  certify(known, join(folder, 'server'), '/CN=kvm1', 'subjectAltName = IP:127.0.0.1');
  for (const pki of [known, unknown])
    certify(pki, join(pki, 'client'), '/CN=worker', 'extendedKeyUsage = clientAuth');
  // The host is known to both; one of them the host does not know.
  writeFileSync(join(unknown, 'cacert.pem'), execFileSync('cat', [join(known, 'cacert.pem')]));
  port = await freePort();
  daemon = await startLibvirtd();
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
    const connection = new RpcConnection(await dialLibvirt(uri(known)));
    try {
      const kinds = await connection.call(PROCEDURE.authList);
      expect([kinds.int(), kinds.int()]).toEqual([1, 0]);
      await connection.call(PROCEDURE.connectOpen, new XdrWriter().optional('qemu:///system').int(0));
    } finally {
      connection.destroy();
    }
  });

  it('refuses who has a certificate of another authority', async () => {
    await expect(dialLibvirt(uri(unknown))).rejects.toThrow(/certificate|alert/);
  });

  it('is refused itself where its certificate is of another name', async () => {
    await expect(dialLibvirt(uri(known, 'localhost'))).rejects.toThrow(/altnames|does not match/);
  });
});
