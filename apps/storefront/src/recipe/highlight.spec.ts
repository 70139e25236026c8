import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shadesOf } from './highlight.ts';

const shown = (source: string) =>
  shadesOf(source).map((pieces) => pieces.map(({ shade, text }) => `${shade}(${text})`).join(''));

describe('the shades of a recipe', () => {
  it('tell keys, marks and comments apart', () => {
    expect(shown('name: shop # mine\n  - path: /etc/motd\n  - curl\n# all of it')).toEqual([
      'key(name:)text( shop )comment(# mine)',
      'mark(  - )key(path:)text( /etc/motd)',
      'mark(  - )text(curl)',
      'comment(# all of it)',
    ]);
  });

  it('leave what is in quotes and in a script alone', () => {
    expect(shown('title: "a # b: c"\nscript: |\n  echo a: # no comment\n\n  done\nnext: 1')).toEqual([
      'key(title:)text( "a # b: c")',
      'key(script:)text( |)',
      'text(  echo a: # no comment)',
      'text()',
      'text(  done)',
      'key(next:)text( 1)',
    ]);
  });

  it('change nothing of the text, whatever it is', () => {
    const source = fc
      .array(fc.constantFrom(' ', '-', '#', ':', '"', "'", 'a', '|', '\n', '\t', '{'))
      .map((all) => all.join(''));
    fc.assert(
      fc.property(fc.oneof(source, fc.string({ unit: 'binary' })), (text) => {
        const back = shadesOf(text).map((pieces) => pieces.map((piece) => piece.text).join(''));
        expect(back.join('\n')).toBe(text);
      }),
    );
  });

  it('have no end on long lines', () => {
    const lines = shadesOf(
      `${'a'.repeat(50_000)}\n${'"'.repeat(50_001)}\n${'- '.repeat(25_000)}\n${'a#'.repeat(25_000)}`,
    );
    expect(lines).toHaveLength(4);
  });
});
