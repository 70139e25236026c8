import { createHash } from 'node:crypto';
import ssh2 from 'ssh2';
import { AccountsError } from './accounts.errors.ts';

export interface SshPublicKey {
  /** `type base64 comment`, in one line. */
  readonly normalized: string;
  /** MD5 in hexadecimal with colons. */
  readonly fingerprint: string;
}

/** Keys in security tokens: OpenSSH knows them and ssh2 does not, so their type is read from the key itself. */
const HARDWARE_TYPES = new Set(['sk-ssh-ed25519@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com']);
const RSA_MIN_BITS = 2048;
const LINE = /^(\S+) +([A-Za-z0-9+/]+={0,2})(?: +(\P{Cc}*))?$/u;

/**
 * Reads one line of an OpenSSH public key (`ssh-ed25519 AAAA… comment`).
 * @throws AccountsError `ssh_key_invalid`
 */
export function parseSshPublicKey(text: string): SshPublicKey {
  const line = LINE.exec(text.trim());
  if (!line) throw invalid(reasonForForm(text));
  const [, type = '', base64 = '', comment = ''] = line;
  const blob = Buffer.from(base64, 'base64');
  if (blob.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, ''))
    throw invalid('is not valid base64');
  if (wireString(blob, 0)?.toString('latin1') !== type) throw invalid('its type does not match its content');
  if (!HARDWARE_TYPES.has(type)) checkSoftwareKey(type, base64, blob);
  const normalized = [type, blob.toString('base64'), comment.trim()].filter((part) => part !== '').join(' ');
  return { normalized, fingerprint: md5Fingerprint(blob) };
}

function checkSoftwareKey(type: string, base64: string, blob: Buffer): void {
  const parsed = ssh2.utils.parseKey(`${type} ${base64}`);
  if (parsed instanceof Error) throw invalid('is not an SSH public key that we know');
  if (parsed.isPrivateKey()) throw invalid('is a private key: keep it, and send the .pub file');
  if (!parsed.getPublicSSH().equals(blob)) throw invalid('has something behind the key');
  if (type === 'ssh-dss') throw invalid('is a DSA key, which OpenSSH refuses; make an ed25519 key');
  if (type === 'ssh-rsa' && rsaBits(blob) < RSA_MIN_BITS) {
    throw invalid(`is an RSA key below ${RSA_MIN_BITS} bits; make an ed25519 key`);
  }
}

function reasonForForm(text: string): string {
  if (text.includes('PRIVATE KEY')) return 'is a private key: keep it, and send the .pub file';
  if (text.trim().includes('\n')) return 'must be one line: one key at a time';
  return 'must look like "ssh-ed25519 AAAA… comment"';
}

/** The length-prefixed string at `offset` of an SSH wire message. */
function wireString(blob: Buffer, offset: number): Buffer | undefined {
  if (blob.length < offset + 4) return undefined;
  const end = offset + 4 + blob.readUInt32BE(offset);
  return end <= blob.length ? blob.subarray(offset + 4, end) : undefined;
}

/** ssh-rsa holds: type, exponent, modulus (with a leading zero where its first bit is set). */
function rsaBits(blob: Buffer): number {
  let offset = 0;
  for (let skip = 0; skip < 2; skip++) offset += 4 + (wireString(blob, offset)?.length ?? 0);
  const modulus = wireString(blob, offset);
  return modulus && modulus.length > 0 ? BigInt(`0x${modulus.toString('hex')}`).toString(2).length : 0;
}

function md5Fingerprint(blob: Buffer): string {
  const digest = createHash('md5').update(blob).digest('hex');
  return digest.match(/../g)?.join(':') ?? digest;
}

function invalid(why: string): AccountsError {
  return new AccountsError('ssh_key_invalid', `the public key ${why}`, 'public_key');
}
