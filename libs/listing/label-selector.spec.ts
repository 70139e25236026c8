import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatLabelSelector, type LabelRequirement, parseLabelSelector } from './label-selector.ts';

const name = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,10}[A-Za-z0-9])?$/);
const key = fc.oneof(
  name,
  fc.tuple(fc.constantFrom('example.com', 'a.b-c.d'), name).map((parts) => parts.join('/')),
);
const value = fc.oneof(fc.constant(''), name);
const requirement: fc.Arbitrary<LabelRequirement> = fc.oneof(
  fc.record({ operator: fc.constantFrom('exists' as const, 'missing' as const), key }),
  fc.record({
    operator: fc.constantFrom('in' as const, 'not_in' as const),
    key,
    values: fc.array(value, { minLength: 1, maxLength: 4 }),
  }),
);

describe('parseLabelSelector', () => {
  it('gives back every selector that it can write', () => {
    fc.assert(
      fc.property(fc.array(requirement, { maxLength: 5 }), (selector) => {
        expect(parseLabelSelector(formatLabelSelector(selector))).toEqual(selector);
      }),
    );
  });

  it('either parses or refuses with its own error, whatever the text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          const selector = parseLabelSelector(text);
          expect(parseLabelSelector(formatLabelSelector(selector))).toEqual(selector);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_label_selector' });
        }
      }),
    );
  });

  it.each([
    ['env', [{ operator: 'exists', key: 'env' }]],
    ['!env', [{ operator: 'missing', key: 'env' }]],
    ['env=prod', [{ operator: 'in', key: 'env', values: ['prod'] }]],
    ['env==prod', [{ operator: 'in', key: 'env', values: ['prod'] }]],
    ['env != prod', [{ operator: 'not_in', key: 'env', values: ['prod'] }]],
    ['env=', [{ operator: 'in', key: 'env', values: [''] }]],
    ['env in (a, b)', [{ operator: 'in', key: 'env', values: ['a', 'b'] }]],
    [
      'env notin (a,b),x',
      [
        { operator: 'not_in', key: 'env', values: ['a', 'b'] },
        { operator: 'exists', key: 'x' },
      ],
    ],
    ['', []],
  ])('reads %s', (text, expected) => {
    expect(parseLabelSelector(text)).toEqual(expected);
  });

  it.each([
    'a b',
    '=x',
    'a=b c',
    'a in',
    'a in (b',
    'a,,b',
    "a='x'",
    'a in (b) c',
    '-a',
    '!',
    'a=-b',
    'x'.repeat(64),
  ])('refuses %s', (text) => {
    expect(() => parseLabelSelector(text)).toThrow(/is not a label selector/);
  });
});
