import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Change, changedEntries } from './changed-entries.ts';

const name = fc.oneof(fc.constantFrom('nginx', 'libc6', '__proto__', 'constructor'), fc.string());
const versions = fc.dictionary(name, fc.constantFrom('1', '2', '1:2~b-0'), { noNullPrototype: true });

function apply(before: Readonly<Record<string, string>>, changes: readonly Change<string | null>[]) {
  const result = new Map(Object.entries(before));
  for (const { name, after } of changes) {
    if (after === null) result.delete(name);
    else result.set(name, after);
  }
  return result;
}

describe('changedEntries', () => {
  it('makes of what was before what is after', () => {
    fc.assert(
      fc.property(versions, versions, (before, after) => {
        expect(apply(before, changedEntries(before, after))).toEqual(new Map(Object.entries(after)));
      }),
    );
  });

  it('names each change once, in order, and nothing that stayed as it was', () => {
    fc.assert(
      fc.property(versions, versions, (before, after) => {
        const changes = changedEntries(before, after);
        const names = changes.map((change) => change.name);
        expect(names).toEqual([...new Set(names)].sort());
        expect(changes.filter((change) => change.before === change.after)).toEqual([]);
        expect(changedEntries(before, before)).toEqual([]);
      }),
    );
  });

  it('says the same the other way round', () => {
    fc.assert(
      fc.property(versions, versions, (before, after) => {
        const reversed = changedEntries(after, before).map((change) => ({
          name: change.name,
          before: change.after,
          after: change.before,
        }));
        expect(reversed).toEqual(changedEntries(before, after));
      }),
    );
  });
});
