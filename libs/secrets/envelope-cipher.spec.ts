import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EnvelopeCipher } from './envelope-cipher.ts';

const key = randomBytes(32);
const cipher = new EnvelopeCipher([key]);

describe('EnvelopeCipher', () => {
  it('opens what it sealed, in the same context only', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), fc.string(), (text, context, other) => {
        const sealed = cipher.seal(text, context);
        expect(cipher.open(sealed, context)).toBe(Buffer.from(text, 'utf8').toString('utf8'));
        if (other !== context) expect(() => cipher.open(sealed, other)).toThrow(/cannot be opened/);
      }),
    );
  });

  it('refuses a change of any single bit', () => {
    const sealed = cipher.seal('correct horse', 'server:1');
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => cipher.open(changed, 'server:1')).toThrow(/cannot be opened/);
    }
  });

  it('never seals to the same bytes and does not hold the plaintext', () => {
    const first = cipher.seal('hunter2hunter2', 'a');
    expect(first.equals(cipher.seal('hunter2hunter2', 'a'))).toBe(false);
    expect(first.includes('hunter2')).toBe(false);
  });

  it('opens with a former key after rotation, and not without it', () => {
    const sealed = cipher.seal('old', 'a');
    expect(new EnvelopeCipher([randomBytes(32), key]).open(sealed, 'a')).toBe('old');
    expect(() => new EnvelopeCipher([randomBytes(32)]).open(sealed, 'a')).toThrow(/cannot be opened/);
  });

  it('refuses a key of another length', () => {
    expect(() => new EnvelopeCipher([randomBytes(16)])).toThrow(/32 bytes/);
  });
});
