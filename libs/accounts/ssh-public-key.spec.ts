import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSshPublicKey } from './ssh-public-key.ts';

const folder = mkdtempSync(join(tmpdir(), 'servery-keys-'));
const kinds = ['ed25519', 'ecdsa', 'rsa'] as const;

const keygen = (...args: string[]) => execFileSync('ssh-keygen', args, { encoding: 'utf8' });
const publicKey = (name: string) => readFileSync(join(folder, `${name}.pub`), 'utf8');

beforeAll(() => {
  for (const kind of kinds) keygen('-q', '-t', kind, '-N', '', '-C', 'me@here', '-f', join(folder, kind));
  keygen('-q', '-t', 'rsa', '-b', '1024', '-N', '', '-f', join(folder, 'short'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('parseSshPublicKey', () => {
  it.each(kinds)('reads what ssh-keygen makes, with the same MD5 fingerprint: %s', (kind) => {
    const { normalized, fingerprint } = parseSshPublicKey(publicKey(kind));
    expect(normalized).toBe(publicKey(kind).trim());
    expect(keygen('-l', '-E', 'md5', '-f', join(folder, `${kind}.pub`))).toContain(`MD5:${fingerprint} `);
  });

  it('refuses private keys, in words that say what to do', () => {
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(() => parseSshPublicKey(pem)).toThrow(/private key: keep it/);
    expect(() => parseSshPublicKey(readFileSync(join(folder, 'rsa'), 'utf8'))).toThrow(/private key/);
  });

  it('refuses what is not one sound key', () => {
    const key = publicKey('ed25519').trim();
    const [type, base64 = ''] = key.split(' ');
    const wrong = [
      '',
      'hello',
      'ssh-ed25519',
      `${type} !!!`,
      `${key}\n${key}`,
      `ssh-rsa ${base64}`,
      `${type} ${base64.slice(0, -8)}`,
      `${type} ${Buffer.concat([Buffer.from(base64, 'base64'), Buffer.from('x')]).toString('base64')}`,
      `${type} ${base64} a\u0007b`,
      `command="reboot" ${key}`,
      publicKey('short'),
    ];
    for (const text of wrong) expect(() => parseSshPublicKey(text), text).toThrow(/the public key/);
  });
});
