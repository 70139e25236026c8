import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Document, isScalar, LineCounter, parseDocument } from 'yaml';
import { lineOfPath, nodeAt, whyNotPlain } from './recipe-nodes.ts';

const TEXT = `# of mine
name: shop
files:
  - path: /a
    content: |
      name: not this one
  - path: /b
services: { enable: [a.service, b.service] }
name: twice
`;

function read(text: string) {
  const lines = new LineCounter();
  const { contents } = parseDocument(text, { uniqueKeys: false, lineCounter: lines });
  return { contents, lineOf: (...path: PropertyKey[]) => lineOfPath(contents, lines, path) };
}

describe('a path into a recipe', () => {
  const { contents, lineOf } = read(TEXT);

  it.each<[path: PropertyKey[], line: number]>([
    [['files'], 3],
    [['files', 0], 4],
    [['files', 0, 'content'], 5],
    [['files', 1, 'path'], 7],
    [['services', 'enable', 1], 8],
    [['name'], 9],
  ])('%j is at line %d', (path, line) => {
    expect(lineOf(...path)).toBe(line);
  });

  it('that leads nowhere is where its nearest part is', () => {
    expect(lineOf('files', 1, 'content')).toBe(7);
    expect(lineOf('files', 9, 'path')).toBe(3);
    expect(lineOf('services', 'enable', 'path')).toBe(8);
    expect(lineOf('unknown', 0)).toBe(1);
    expect(lineOf()).toBe(1);
    expect(nodeAt(contents, ['files', 9])).toBeUndefined();
    expect(nodeAt(contents, ['name', 'first'])).toBeUndefined();
    expect(nodeAt(null, ['name'])).toBeUndefined();
  });

  it('finds in any document each key and each item', () => {
    const key = fc.stringMatching(/^[a-z]{1,6}$/);
    const value = fc.letrec((tie) => ({
      any: fc.oneof({ depthSize: 'small' }, key, tie('list'), tie('map')),
      list: fc.array(tie('any'), { minLength: 1, maxLength: 4 }),
      map: fc.dictionary(key, tie('any'), { minKeys: 1, maxKeys: 4 }),
    })).map;
    fc.assert(
      fc.property(value, (recipe) => {
        const { contents: found, lineOf: line } = read(new Document(recipe).toString());
        for (const path of pathsIn(recipe)) {
          const [last] = path.slice(-1);
          const node = nodeAt(found, path);
          expect(node).toBeDefined();
          if (typeof last === 'string') expect(isScalar(node) && node.value).toBe(last);
          expect(line(...path)).toBeGreaterThanOrEqual(line(...path.slice(0, -1)));
        }
      }),
    );
  });
});

describe('a node', () => {
  it.each([
    ['plain', undefined],
    ['[a, b]', undefined],
    ['{ a: b }', undefined],
    ['&anchor a', 'must have no anchor (&)'],
    ['!!str a', 'must have no tag (!)'],
    ['[&a b, *a]', undefined],
  ])('%s is plain, or says why it is not', (text, why) => {
    expect(whyNotPlain(read(`${text}\n`).contents)).toBe(why);
  });

  it('that stands for another one is told so', () => {
    expect(whyNotPlain(parseDocument('[&a b, *a]\n').getIn([1], true))).toMatch(/alias/);
    expect(whyNotPlain(undefined)).toBeUndefined();
  });
});

function pathsIn(value: unknown): PropertyKey[][] {
  const entries: [PropertyKey, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
      : [];
  return entries.flatMap(([key, below]) => [[key], ...pathsIn(below).map((path) => [key, ...path])]);
}
