import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostname } from '#libs/contracts';
import { serverNameProblem, suggestServerName } from './server-name.ts';

describe('names of servers', () => {
  it('suggests only names that it would take', () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.infiniteStream(random), (stream) => {
        const name = suggestServerName(() => stream.next().value);
        expect(serverNameProblem(name)).toBeNull();
      }),
    );
  });

  it('takes nothing that the API would refuse', () => {
    const text = fc.string({ unit: fc.constantFrom(...'aZ09-._ é/'), maxLength: 70 });
    fc.assert(
      fc.property(text, (name) => {
        fc.pre(serverNameProblem(name) === null);
        expect(hostname.safeParse(name).success).toBe(true);
      }),
    );
  });

  it.each([
    ['', 'Give your server a name.'],
    ['Shop', 'Use lower-case letters.'],
    ['my shop', 'Use letters, digits, hyphens and dots only.'],
    ['-shop', 'Start and end each part with a letter or a digit.'],
    ['shop..de', 'Start and end each part with a letter or a digit.'],
    ['s'.repeat(64), 'Use at most 63 characters.'],
  ])('says what is wrong with %j', (name, problem) => {
    expect(serverNameProblem(name)).toBe(problem);
  });
});
