import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseRecipe } from '../../recipe/load-recipe.ts';
import { type BootstrapOptions, bootstrapCommand } from './bootstrap.ts';

const minimal = {
  ...{
    schema: 1,
    name: 'probe',
    title: 'Probe',
    summary: 'S',
    description: 'D',
    category: 'os',
    icon: 'icon.svg',
  },
  ...{ base: 'debian:bookworm', osFlavor: 'debian', osVersion: '12', licence: 'MIT' },
  ...{ minimum: { memoryMib: 256, diskGib: 3 }, health: [{ type: 'tcp', port: 22 }] },
};

/** Names as an attacker writes them: plausible ones, with what a shell or a list of options would obey. */
const bit = fc.constantFrom(
  ...[
    'a',
    'nginx',
    '-',
    '--',
    '--root=/',
    '-o',
    ' ',
    ',',
    ';',
    '$(id)',
    '`id`',
    '|',
    '&',
    '>',
    '\n',
    '\t',
    "'",
    '"',
  ],
  ...['*', '?', '~', '/', '../', ':', '=', '@', '%', '\\', '.service', '\0', '{a,b}', '#', '+', '0'],
);
const name = fc.array(bit, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));

/** What the schema lets pass of a value, by where it stands. */
function taken(change: object) {
  try {
    return parseRecipe('probe', stringify({ ...minimal, ...change }));
  } catch {
    return undefined;
  }
}

describe('a name in a recipe', () => {
  it('of a package is no option and nothing that a shell or a list would split', () => {
    fc.assert(
      fc.property(name, (text) => {
        for (const passed of taken({ packages: [text] })?.packages ?? []) {
          expect(passed).toMatch(/^[a-z0-9][a-z0-9+.-]+$/);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('of a unit, an owner or a path is one word, and stands after the end of options', () => {
    fc.assert(
      fc.property(name, (text) => {
        const units = taken({ services: { enable: [text, `${text}.service`] } })?.services.enable ?? [];
        for (const unit of units) expect(unit).toMatch(/^[^\s'"$`;|&<>*?~/]+$/);
        const file = taken({ files: [{ path: `/${text}`, owner: text, group: text }] })?.files[0];
        if (file) expect(`${file.owner}:${file.group}`).toMatch(/^[a-z_][a-z0-9_-]*:[a-z_][a-z0-9_-]*$/);
        for (const path of taken({ remove: [`/${text}`] })?.remove ?? []) expect(path).toMatch(/^\/[^/\0\n]/);
      }),
      { numRuns: 500 },
    );
  });

  it('changes nothing of the command that installs but the list of packages, whatever it is', () => {
    const options: BootstrapOptions = {
      ...{ release: 'bookworm', packages: [], packageCount: 1, presetDir: '/work/tmp/preset', hasBase: true },
      ...{ epochSeconds: 0, onProgress: () => {}, onLine: () => {} },
    };
    const plain = bootstrapCommand(options);
    fc.assert(
      fc.property(fc.array(name), (packages) => {
        const command = bootstrapCommand({ ...options, packages });
        const isInclude = (argument: string) => argument.startsWith('--include=');
        expect(command.filter((argument) => !isInclude(argument))).toEqual(
          plain.filter((argument) => !isInclude(argument)),
        );
        expect(command.filter(isInclude)).toEqual([`--include=${packages.join(',')}`]);
      }),
    );
  });
});
