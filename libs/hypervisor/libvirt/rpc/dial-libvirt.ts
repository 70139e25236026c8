import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { ProgramConnection } from './program-connection.ts';

/** Where libvirt listens on its own host: its QEMU daemon, or the one daemon for all that came before it. */
const SOCKETS = ['/run/libvirt/virtqemud-sock', '/run/libvirt/libvirt-sock'] as const;
const CONNECT_TIMEOUT_MS = 30_000;
const TCP_PORT = 16_509;
const TLS_PORT = 16_514;
/** As libvirt's clients keep them unless `pkipath` says another folder. */
const PKI = {
  ca: '/etc/pki/CA/cacert.pem',
  cert: '/etc/pki/libvirt/clientcert.pem',
  key: '/etc/pki/libvirt/private/clientkey.pem',
};
/** What libvirt sends first over TLS when it accepts our certificate. */
const ACCEPTED = 1;

/**
 * A connection to the libvirt that a URI names, by the transports of https://libvirt.org/uri.html, for its own protocol.
 * Of the parameters it knows `socket`, `keyfile`, `known_hosts`, `no_verify` and `pkipath`.
 * @throws Error (rejects) where nothing answers; by SSH that shows in the first call
 */
export async function dialLibvirt(uri: string): Promise<Duplex> {
  const url = new URL(uri);
  const transport = /^qemu(?:\+(.+))?:$/.exec(url.protocol)?.[1] ?? (url.hostname === '' ? 'unix' : 'tls');
  if (transport === 'unix') return connected(connect(url.searchParams.get('socket') ?? ownSocket()));
  if (transport === 'tcp') return connected(connect(Number(url.port || TCP_PORT), url.hostname));
  if (transport === 'tls') return overTls(url);
  if (/^(ssh|libssh2?)$/.test(transport)) return overSsh(url);
  throw new Error(`consoles are not known to go by the transport "${transport}"`);
}

function ownSocket(): string {
  return SOCKETS.find((path) => existsSync(path)) ?? SOCKETS[1];
}

/** The client that virsh uses too, with its keys, known hosts and settings; it never asks. */
function overSsh({ hostname, port, username, searchParams }: URL): Duplex {
  const option = (flag: string, value: string | null) => (value ? [flag, value] : []);
  const knownHosts = searchParams.get('known_hosts');
  const child = spawn(
    'ssh',
    [
      ...['-T', '-e', 'none', '-o', 'BatchMode=yes', '-o', 'ServerAliveInterval=5'],
      ...option('-p', port),
      ...option('-l', decodeURIComponent(username)),
      ...option('-i', searchParams.get('keyfile')),
      ...option('-o', knownHosts && `UserKnownHostsFile=${knownHosts}`),
      ...option('-o', searchParams.get('no_verify') === '1' ? 'StrictHostKeyChecking=no' : null),
      ...['--', hostname, remoteCommand(searchParams.get('socket'))],
    ],
    { stdio: ['pipe', 'pipe', 'ignore'] },
  );
  return new ProgramConnection(child);
}

/** libvirt's own program for this where the host has it, and netcat otherwise, as libvirt does it. */
function remoteCommand(socket: string | null): string {
  const netcat = `exec nc -U ${quote(socket ?? SOCKETS[1])}`;
  if (socket !== null) return `sh -c ${quote(netcat)}`;
  const helper = 'virt-ssh-helper';
  const either = `if command -v ${helper} >/dev/null 2>&1; then exec ${helper} qemu:///system; else ${netcat}; fi`;
  return `sh -c ${quote(either)}`;
}

/** One word to a shell, whatever it holds. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

async function overTls({ hostname, port, searchParams }: URL): Promise<Duplex> {
  const folder = searchParams.get('pkipath');
  const files = folder
    ? { ca: `${folder}/cacert.pem`, cert: `${folder}/clientcert.pem`, key: `${folder}/clientkey.pem` }
    : PKI;
  const [ca, cert, key] = await Promise.all([readFile(files.ca), readFile(files.cert), readFile(files.key)]);
  const rejectUnauthorized = searchParams.get('no_verify') !== '1';
  const options = { host: hostname, port: Number(port || TLS_PORT), ca, cert, key, rejectUnauthorized };
  const socket = await connected(connectTls(options), 'secureConnect');
  return new Promise((resolve, reject) => {
    const refused = () => reject(new Error('the host does not accept our certificate'));
    socket.once('close', refused).once('readable', () => {
      socket.off('close', refused);
      if ((socket.read(1) as Buffer | null)?.[0] === ACCEPTED) return resolve(socket);
      socket.destroy();
      refused();
    });
  });
}

function connected<S extends Socket>(socket: S, event = 'connect'): Promise<S> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error('the host does not answer')), CONNECT_TIMEOUT_MS);
    socket.once('close', () => clearTimeout(timer)).once('error', reject);
    socket.once(event, () => {
      clearTimeout(timer);
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
