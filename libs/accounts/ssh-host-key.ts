import ssh2 from 'ssh2';

export interface HostKeyPair {
  /** `ssh-ed25519 AAAA…`, without a comment. */
  readonly publicKey: string;
  /** In OpenSSH's own format. */
  readonly privateKey: string;
}

/** A new ed25519 key pair for a server to show who it is. */
export function generateHostKeyPair(): HostKeyPair {
  const pair = ssh2.utils.generateKeyPairSync('ed25519');
  return { publicKey: pair.public.trim().split(' ').slice(0, 2).join(' '), privateKey: pair.private };
}
