import { describe, expect, it } from 'vitest';
import { fromLabelRows, labelProblems, toLabelRows } from './labels.ts';

const rows = (...pairs: [string, string][]) => pairs.map(([key, value], row) => ({ row, key, value }));

describe('labels in a form', () => {
  it('come back as they were', () => {
    const labels = { env: 'production', 'example.com/team': '', tier: 'web-1' };
    expect(fromLabelRows(toLabelRows(labels))).toEqual(labels);
  });

  it('lose the space around them and the rows that were left empty', () => {
    expect(fromLabelRows(rows([' env ', ' prod'], ['', '']))).toEqual({ env: 'prod' });
  });

  it.each([
    [rows(['', 'prod']), { key: 'Give the label a name.' }],
    [rows(['-env', 'prod']), { key: expect.stringContaining('letters') }],
    [rows(['env', 'not one word']), { value: expect.stringContaining('letters') }],
    [rows(['env', 'x'.repeat(64)]), { value: expect.stringContaining('63') }],
  ])('are refused with the reason beside them: %j', (given, problem) => {
    expect(labelProblems(given)).toEqual(new Map([[0, problem]]));
  });

  it('may not have the same name twice', () => {
    expect([...labelProblems(rows(['env', 'a'], ['env', 'b'])).keys()]).toEqual([1]);
  });

  it('may have an empty value', () => {
    expect(labelProblems(rows(['env', ''])).size).toBe(0);
  });
});
