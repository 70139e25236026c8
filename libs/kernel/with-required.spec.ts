import { expect, it } from 'vitest';
import { withRequired } from './with-required.ts';

const chosen = (names: readonly string[], offered: Readonly<Record<string, readonly string[]>>) =>
  withRequired(
    names,
    Object.entries(offered).map(([name, requires]) => ({ name, requires })),
  ).map(({ name }) => name);

it('brings along what is required, once, in order, also where that goes round in a circle', () => {
  const offered = { a: ['b', 'c'], b: ['c'], c: ['a'], d: [] };
  expect(chosen(['a', 'd', 'b'], offered)).toEqual(['c', 'b', 'a', 'd']);
});

it('leaves unknown names out', () => {
  expect(chosen(['php', 'unknown', 'nginx'], { nginx: [], php: ['nginx'] })).toEqual(['nginx', 'php']);
});
