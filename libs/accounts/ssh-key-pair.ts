import ssh2 from 'ssh2';

export interface SshKeyPair {
  /** `ssh-ed25519 AAAA…`, without a comment. */
  readonly publicKey: string;
  /** In OpenSSH's own format. */
  readonly privateKey: string;
}

/**
 * A new ed25519 key pair: for a server to show who it is, or for somebody to log in with.
 *
 * About one pair in 256 of ssh2 1.17 lacks the first byte of its public key, which is a zero, and nothing can read
 * it (mscdex/ssh2#1390): such a pair is drawn again.
 */
export function generateSshKeyPair(): SshKeyPair {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    if (ssh2.utils.parseKey(pair.private) instanceof Error) continue;
    return { publicKey: pair.public.trim().split(' ').slice(0, 2).join(' '), privateKey: pair.private };
  }
}
