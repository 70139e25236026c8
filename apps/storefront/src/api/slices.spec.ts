import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readOn, type WholeText } from './slices.ts';

describe('text that grows', () => {
  it('is read once, whole and in order, however it is cut and however often one asks', async () => {
    const pieces = fc.array(fc.string({ minLength: 1 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.integer({ min: 0, max: 20 }), async (slices, pause) => {
        const whole = slices.join('');
        let printed = slices.slice(0, pause).join('').length;
        const asked: number[] = [];
        const ask = async (after: number) => {
          asked.push(after);
          const next = Math.min(printed, after + 3);
          const isEnd = next === whole.length && printed === whole.length;
          return { text: whole.slice(after, next), next, is_end: isEnd, cut_bytes: 0 };
        };
        const first: WholeText = await readOn(undefined, ask);
        expect(first.text).toBe(whole.slice(0, printed));
        printed = whole.length;
        const all = first.isEnd ? first : await readOn(first, ask);
        expect(all).toEqual({ text: whole, next: whole.length, isEnd: true, cutBytes: 0 });
        expect(asked).toEqual(asked.toSorted((a, b) => a - b));
      }),
    );
  });
});
