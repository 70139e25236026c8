import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { expect, it } from 'vitest';
import { generateSshKeyPair } from './ssh-key-pair.ts';
import { parseSshPublicKey } from './ssh-public-key.ts';

it('makes pairs of which each can be read', () => {
  for (let made = 0; made < 1500; made++) {
    const { publicKey, privateKey } = generateSshKeyPair();
    expect(parseSshPublicKey(publicKey).normalized).toBe(publicKey);
    expect(ssh2.utils.parseKey(privateKey)).not.toBeInstanceOf(Error);
  }
});

it("makes a pair that OpenSSH's own tools take", () => {
  const folder = mkdtempSync(join(tmpdir(), 'ssh-key-pair-'));
  try {
    const { publicKey, privateKey } = generateSshKeyPair();
    writeFileSync(join(folder, 'key'), privateKey, { mode: 0o600 });
    expect(execFileSync('ssh-keygen', ['-y', '-f', join(folder, 'key')]).toString()).toContain(publicKey);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
