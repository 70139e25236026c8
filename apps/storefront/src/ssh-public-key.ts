const KINDS = new Set([
  'ssh-ed25519',
  'ssh-rsa',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
]);

/** What is wrong with a pasted public key (one line of an OpenSSH `.pub` file), or null. */
export function publicKeyProblem(text: string): string | null {
  const line = text.trim();
  if (line === '') return 'Paste your public key.';
  if (line.includes('PRIVATE KEY'))
    return 'This is a private key. Never share it; paste the file that ends in .pub instead.';
  const [kind, blob] = line.split(/\s+/);
  if (line.includes('\n') || !KINDS.has(kind ?? ''))
    return 'Paste one line that starts with ssh-ed25519, ssh-rsa or ecdsa-sha2.';
  return /^[A-Za-z0-9+/]{40,}={0,3}$/.test(blob ?? '') ? null : 'The key looks cut off. Copy the whole line.';
}

/** The comment at the end of a public key, a good first name for it. */
export function publicKeyComment(text: string): string {
  return text.trim().split(/\s+/).slice(2).join(' ');
}
