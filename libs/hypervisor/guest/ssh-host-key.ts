import type { Socket } from 'node:net';
import ssh2 from 'ssh2';

const ALGORITHM = 'ssh-ed25519';

/**
 * Exchanges keys with an SSH server and gives its ed25519 host key as `ssh-ed25519 AAAA…`. The exchange is
 * finished before the key is given, so the server has signed with it. Nobody logs in.
 */
export function readHostKey(socket: Socket, timeoutSeconds: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    let key = '';
    client.once('handshake', () => {
      resolve(`${ALGORITHM} ${key}`);
      client.destroy();
    });
    client.on('error', reject);
    client.once('close', () => reject(new Error('the server ended the key exchange')));
    client.connect({
      sock: socket,
      username: 'nobody',
      readyTimeout: timeoutSeconds * 1000,
      algorithms: { serverHostKey: [ALGORITHM] },
      hostVerifier: (offered: Buffer) => {
        key = offered.toString('base64');
        return true;
      },
    });
  });
}
