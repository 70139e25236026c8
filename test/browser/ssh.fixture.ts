import { connect } from 'node:net';
import ssh2, { type ConnectConfig } from 'ssh2';
import { generateSshKeyPair, type SshKeyPair } from '#libs/accounts';

export interface SshLogin {
  readonly host: string;
  readonly port: number;
  /** `ssh-ed25519 AAAA…`: a server with any other key is refused. */
  readonly hostKey: string;
  readonly secret: { readonly password: string } | { readonly privateKey: string };
}

/** Logs in as root and returns what `command` printed. @throws when the host key or the login is refused. */
export function runBySsh({ host, port, hostKey, secret }: SshLogin, command: string): Promise<string> {
  const expected = Buffer.from(hostKey.split(' ')[1] ?? '', 'base64');
  const config: ConnectConfig = {
    host,
    port,
    username: 'root',
    readyTimeout: 60_000,
    algorithms: { serverHostKey: ['ssh-ed25519'] },
    hostVerifier: (offered: Buffer) => offered.equals(expected),
    ...secret,
  };
  const client = new ssh2.Client();
  return new Promise<string>((resolve, reject) => {
    client.on('error', reject);
    client.on('ready', () => {
      client.exec(command, (error, stream) => {
        if (error) return reject(error);
        let output = '';
        stream.on('data', (chunk: Buffer) => {
          output += chunk.toString();
        });
        stream.stderr.resume();
        stream.on('close', () => resolve(output.trim()));
      });
    });
    client.connect(config);
  }).finally(() => client.end());
}

/** Whether an SSH server answers with its banner, within some seconds; a port that takes a connection is none yet. */
export function answersBySsh({ host, port }: Pick<SshLogin, 'host' | 'port'>): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 5_000 });
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.on('data', (bytes) => end(bytes.toString().startsWith('SSH-')));
    for (const event of ['timeout', 'error', 'close']) socket.on(event, () => end(false));
  });
}

/** A new key pair, its public key with a comment. */
export function newSshKey(comment: string): SshKeyPair {
  const { publicKey, privateKey } = generateSshKeyPair();
  return { publicKey: `${publicKey} ${comment}`, privateKey };
}
