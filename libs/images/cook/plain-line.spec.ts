import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainLine } from './plain-line.ts';

describe('plainLine', () => {
  it('leaves words as they are', () => {
    expect(plainLine('Setting up nginx (1.22.1-9) …')).toBe('Setting up nginx (1.22.1-9) …');
  });

  it('shows what a terminal would obey', () => {
    expect(plainLine('\u001b[2J\u001b]0;title\u0007 a\rb\tc \u202egnp.exe')).toBe(
      '·[2J·]0;title· a·b c ·gnp.exe',
    );
  });

  it('is printable, well-formed and short, whatever was printed', () => {
    const unit = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ maxLength: 2000 }),
      fc.constant('\ud83d'),
    );
    fc.assert(
      fc.property(fc.array(unit), (parts) => {
        const line = plainLine(parts.join(''));
        expect(line.isWellFormed()).toBe(true);
        expect([...line].length).toBeLessThanOrEqual(400);
        expect(line).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
  });
});
