import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { RECIPE_LIMITS, type RecipeSpec, recipeSpec } from '#libs/contracts';
import type { DomainError } from '#libs/kernel';
import { parseRecipeYaml, printRecipeYaml } from './recipe-yaml.ts';
import { anyRecipe } from './recipes.arbitrary.fixture.ts';

/** What was wrong, as `line field message`. */
function problemsOf(source: string): string[] {
  try {
    parseRecipeYaml(source);
    return [];
  } catch (error) {
    expect(error).toMatchObject({ code: 'recipe_invalid', kind: 'invalid_input' });
    const { details, fields } = error as DomainError;
    const problems = details.problems as { field: string; line: number; message: string }[] | undefined;
    return (
      problems?.map(({ field, line, message }) => `${line} ${field} ${message}`) ??
      fields.map(({ name, messages }) => `${name} ${messages.join()}`)
    );
  }
}

/** As PostgreSQL gives it back: keys in an order of its own. */
function shuffled(spec: RecipeSpec): RecipeSpec {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed);
    if (value === null || typeof value !== 'object') return value;
    const entries = Object.entries(value).toReversed();
    return Object.fromEntries(entries.map(([key, inner]) => [key, reversed(inner)]));
  };
  return reversed(spec) as RecipeSpec;
}

describe('a recipe as YAML', () => {
  it('says the least that it can', () => {
    expect(printRecipeYaml(recipeSpec.parse({ name: 'shop' }))).toBe(
      'schema: 1\nname: shop\nbase: debian-12\nminimum:\n  memory_mib: 512\n  disk_gib: 4\n',
    );
    expect(parseRecipeYaml('name: shop\n').spec).toEqual(recipeSpec.parse({ name: 'shop' }));
  });

  it('is what was printed, whatever is in it', () => {
    fc.assert(
      fc.property(anyRecipe, (spec) => {
        const text = printRecipeYaml(spec);
        expect(parseRecipeYaml(text).spec).toEqual(spec);
        expect(printRecipeYaml(parseRecipeYaml(text).spec)).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it.each([' \n', '\n \n', '  \n\n', '\n\n', ' \t\n', ' '])('keeps the file %j', (content) => {
    const spec = recipeSpec.parse({ name: 'shop', files: [{ path: '/etc/blank', content }] });
    expect(parseRecipeYaml(printRecipeYaml(spec)).spec).toEqual(spec);
  });

  it('is printed in one way, in whatever order its keys are', () => {
    fc.assert(
      fc.property(anyRecipe, (spec) => {
        expect(printRecipeYaml(shuffled(spec))).toBe(printRecipeYaml(spec));
      }),
    );
  });

  it('means the same to any reader of YAML 1.1 and 1.2', () => {
    fc.assert(
      fc.property(anyRecipe, (spec) => {
        const text = printRecipeYaml(spec);
        expect(parse(text, { version: '1.1' })).toEqual(parse(text));
      }),
    );
  });

  it.each([
    ['an anchor', 'name: &a shop\n', ['1 name must have no anchor (&)']],
    ['an alias', 'name: shop\ntitle: *a\n', ['2 title must be no alias (*): write it out']],
    ['an anchor on a list', 'name: shop\npackages: &a [git]\n', ['2 packages must have no anchor (&)']],
    ['a tag', 'name: !!str shop\n', ['1 name must have no tag (!)']],
    ['a tag of its own', 'name: shop\nfiles: !files []\n', ['2 files must have no tag (!)']],
    [
      'a directive',
      '%TAG ! tag:example.org,2000:\n---\nname: shop\n',
      ['1 yaml must have no directives (lines that begin with %)'],
    ],
    [
      'a second document',
      'name: shop\n---\nname: other\n',
      ['2 yaml must be one document (--- begins another)'],
    ],
    ['a key twice', 'name: shop\ntitle: a\ntitle: b\n', ['3 title stands here twice']],
    ['a merge', 'name: shop\n<<: {title: x}\n', ['2 << is no field of a recipe']],
    ['a prototype', 'name: shop\n__proto__: {title: x}\n', ['2 __proto__ is no field of a recipe']],
    ['a key that is a list', '? [a]\n: b\n', ['1 yaml has a key that is not plain text']],
    [
      'an unknown key',
      'name: shop\n\nfiles:\n  - path: /etc/x\n    content: x\n    colour: red\n',
      ['6 files.0.colour is no field of a recipe'],
    ],
    [
      'a mode that is a number',
      'name: shop\nfiles:\n  - path: /etc/x\n    content: x\n    mode: 0644\n',
      ['5 files.0.mode must be four octal digits in quotes, such as "0644"'],
    ],
    ['another version of the format', 'schema: 2\nname: shop\n', ['1 schema Invalid input: expected 1']],
    ['nothing', '', ['1 yaml Invalid input: expected object, received null']],
    [
      'a bracket that is not closed',
      'name: shop\npackages: [git\n',
      ['3 yaml Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ],
  ])('is refused with %s, by line and field', (_, source, problems) => {
    expect(problemsOf(source)).toEqual(problems);
  });

  it.each([
    ['brackets without end', '['.repeat(100_000)],
    ['maps without end', '{a: '.repeat(50_000)],
    ['lists in lists', '- '.repeat(100_000)],
    ['keys of keys', '? '.repeat(100_000)],
    ['a hundred thousand keys', Array.from({ length: 30_000 }, (_, index) => `k${index}:`).join('\n')],
    ['more than it may be long', `name: shop\n# ${'x'.repeat(RECIPE_LIMITS.yamlBytes)}`],
  ])('is refused soon where it is %s', (_, source) => {
    const before = performance.now();
    expect(problemsOf(source)).toHaveLength(1);
    expect(performance.now() - before).toBeLessThan(5000);
  });

  it('tells the first twenty of what is wrong', () => {
    const source = `name: shop\n${Array.from({ length: 100 }, (_, index) => `k${index}: 1`).join('\n')}\n`;
    expect(problemsOf(source)).toHaveLength(20);
  });

  it('never fails in another way, whatever it is', () => {
    const pieces = fc.constantFrom(
      'name: shop\n',
      '- ',
      '? ',
      ': ',
      '&a ',
      '*a',
      '!!',
      '[',
      '{',
      '"',
      "'",
      '|\n',
      '>-\n',
      '%YAML 1.1\n',
      '---\n',
      '\t',
      '\r',
      '\ufeff',
      '#',
      '0644',
      '~',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string({ unit: 'binary' })), { maxLength: 30 }), (parts) => {
        problemsOf(parts.join(''));
      }),
      { numRuns: 500 },
    );
  });
});
