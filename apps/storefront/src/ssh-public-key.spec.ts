import { utils } from 'ssh2';
import { describe, expect, it } from 'vitest';
import { publicKeyComment, publicKeyProblem } from './ssh-public-key.ts';

const pair = utils.generateKeyPairSync('ed25519', { comment: 'ada@laptop' });

describe('pasted public keys', () => {
  it('takes what ssh-keygen writes', () => {
    expect(publicKeyProblem(`${pair.public}\n`)).toBeNull();
    expect(publicKeyProblem(utils.generateKeyPairSync('rsa', { bits: 2048 }).public)).toBeNull();
    expect(publicKeyProblem(utils.generateKeyPairSync('ecdsa', { bits: 256 }).public)).toBeNull();
  });

  it('warns of a private key before anything else', () => {
    expect(publicKeyProblem(pair.private)).toMatch(/private key/);
  });

  it.each([
    ['', /Paste your public key/],
    ['AAAAC3NzaC1lZDI1NTE5', /starts with ssh-ed25519/],
    ['ssh-ed25519 AAAA', /cut off/],
    [`${pair.public}\n${pair.public}`, /one line/],
  ])('refuses %j', (text, problem) => {
    expect(publicKeyProblem(text)).toMatch(problem);
  });

  it('names a key by its comment', () => {
    expect(publicKeyComment(pair.public)).toBe('ada@laptop');
    expect(publicKeyComment('ssh-ed25519 AAAA')).toBe('');
  });
});
