import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { parse, placeOf, type Source, sources, walk } from './sources.ts';

/** Where everything that is reckoned is money. */
const MONEY = [
  'apps/api/billing',
  'apps/api/books',
  'apps/worker',
  'apps/cli',
  'libs/billing',
  'libs/payments',
  'libs/workflows',
];
const TESTS = /\.(spec|scenario)\.ts$|\/harness\//;
/** What waits for, or measures, somebody or something real, and the provider's stand-in, whose clock is its own. */
const REAL_TIME = [
  'apps/worker/sampling.ts',
  'libs/workflows/boot-clock.ts',
  'libs/workflows/suspend-server.saga.ts',
  'libs/payments/emulator/',
];

/** Where a source asks the machine what time it is. */
function machineTimes(source: Source): string[] {
  const found: string[] = [];
  walk(source.tree, (node) => {
    const isNewDate =
      ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length;
    const isSystemClock = ts.isIdentifier(node) && node.text === 'systemClock';
    if (isNewDate || isSystemClock) found.push(placeOf(source, node));
  });
  return found;
}

describe('money', () => {
  it('is reckoned by its own clock, which can be moved, and never by the machine’s', async () => {
    const asked = (await sources(...MONEY)).filter(
      ({ path }) => !TESTS.test(path) && !REAL_TIME.some((place) => path.startsWith(place)),
    );
    expect(asked.length).toBeGreaterThan(100);
    expect(asked.flatMap(machineTimes)).toEqual([]);
  });

  it('would be caught asking the machine', () => {
    const text = 'const at = new Date();\nuse(systemClock);\nconst told = new Date(at);';
    expect(machineTimes(parse('x.ts', text))).toEqual(['x.ts:1', 'x.ts:2']);
  });
});
