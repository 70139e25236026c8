import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addTo, removeIn, setIn } from './edit-recipe.ts';
import { readRecipe } from './read-recipe.ts';

const RECIPE = `# A shop of mine
name: shop # as it is called
base: debian-12

components:
  - nginx
  # the newest one that Debian has
  - php
packages: [curl]
files:
  - path: /etc/motd
    content: |
      Welcome
      to the shop
services: { enable: [nginx.service] }
minimum: { memory_mib: 1024, disk_gib: 6 }
`;

const problemsOf = (text: string) =>
  readRecipe(text).problems.map(({ line, path }) => [line, path.join('.')]);

describe('a recipe that is read', () => {
  it('has its fields, for a form as well as whole', () => {
    const { draft, spec, problems } = readRecipe(RECIPE);
    expect(problems).toEqual([]);
    expect(draft).toMatchObject({
      name: 'shop',
      components: ['nginx', 'php'],
      packages: ['curl'],
      services: { enable: ['nginx.service'], disable: [], mask: [] },
      files: [{ path: '/etc/motd', content: 'Welcome\nto the shop\n', mode: '0644' }],
      memoryMib: 1024,
      diskGib: 6,
    });
    expect(spec).toMatchObject({ name: 'shop', minimum: { memory_mib: 1024, disk_gib: 6 } });
  });

  it('with files of the largest size that are no text, put in one by one, is a recipe', () => {
    const files = [128, 32].map((kib) => ({
      path: `/opt/${kib}`,
      content_base64: Buffer.alloc(kib * 1024, 255).toString('base64'),
    }));
    const text = files.reduce((all, file) => addTo(all, ['files'], file), 'name: shop\n');
    expect(readRecipe(text)).toMatchObject({ problems: [], spec: { files } });
  });

  it('that has become too long says so, and the form still shows it', () => {
    const { draft, spec, problems } = readRecipe(`${RECIPE}#${'x'.repeat(320 * 1024)}\n`);
    expect(problems).toMatchObject([
      { line: 1, path: [], message: expect.stringContaining('320 KiB as YAML') },
    ]);
    expect([draft?.name, spec]).toEqual(['shop', undefined]);
  });

  it.each([
    ['name: a\npackages: [', [2, '']],
    ['name: a b\n', [1, 'name']],
    ['base: debian-12\n', [1, 'name']],
    ['name: ok\npackages:\n  - curl\n  - "no package!"\n', [4, 'packages.1']],
    ['name: ok\nminimum:\n  memory_mib: 1\n  disk_gib: 4\n', [3, 'minimum.memory_mib']],
    ['name: ok\n\nsurprise: 1\n', [3, 'surprise']],
    ['name: ok\nfiles:\n  - { path: /etc/motd }\n', [3, 'files.0.content']],
    ['name: ok\nfiles:\n  - path: /etc/motd\n    content: x\n    mode: 644\n', [5, 'files.0.mode']],
    ['schema: 2\nname: ok\n', [1, 'schema']],
    ['name: ok\nname: twice\n', [2, '']],
    ['name: &a ok\n', [1, 'name']],
    ['name: ok\ntitle: !!str x\n', [2, 'title']],
    ['- a list\n', [1, '']],
    ['name: ok\n---\nname: other\n', [2, '']],
  ])('%j says what is wrong at its line', (text, problem) => {
    expect(problemsOf(text)).toContainEqual(problem);
  });

  it('that is empty asks for its name', () => {
    expect(problemsOf('')).toEqual([[1, 'name']]);
    expect(problemsOf('# nothing yet\n')).toEqual([[1, 'name']]);
  });

  it('shows what there is to see of one that is wrong, each item in its place', () => {
    const { draft, spec } = readRecipe('name: 5\npackages: [1, curl]\nports: [x]\nhealth: y\n');
    expect(spec).toBeUndefined();
    expect(draft).toMatchObject({
      name: '',
      packages: ['', 'curl'],
      ports: [{ name: '', port: 0, protocol: 'tcp' }],
      health: [],
    });
  });

  it('never fails, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `name: ${text}\npackages: ${text}`),
        ),
        (text) => {
          const { problems, spec } = readRecipe(text);
          expect(spec === undefined).toBe(problems.length > 0);
          const lines = text.split('\n').length;
          expect(problems.every(({ line }) => line >= 1 && line <= lines + 1)).toBe(true);
        },
      ),
    );
  });
});

describe('a recipe that is edited', () => {
  it('keeps its comments and everything else', () => {
    const edited = removeIn(addTo(RECIPE, ['components'], 'redis'), ['components', 0]);
    expect(edited).toContain('# A shop of mine');
    expect(setIn(edited, ['name'], 'other')).toContain('name: other # as it is called');
    expect(edited).toContain('# the newest one that Debian has\n  - php\n  - redis');
    expect(readRecipe(edited).draft?.files).toEqual(readRecipe(RECIPE).draft?.files);
  });

  it('has new keys where one looks for them', () => {
    const edited = setIn(
      addTo('name: a\nminimum: { memory_mib: 512, disk_gib: 4 }\n', ['packages'], 'curl'),
      ['title'],
      'A',
    );
    expect(edited).toBe(
      'name: a\ntitle: A\npackages:\n  - curl\nminimum: { memory_mib: 512, disk_gib: 4 }\n',
    );
  });

  it('begins from nothing, and from a key without a value', () => {
    expect(setIn('', ['name'], 'a')).toBe('name: a\n');
    expect(addTo('packages:\n', ['packages'], 'curl')).toBe('packages:\n  - curl\n');
    expect(setIn('minimum:\n', ['minimum', 'disk_gib'], 5)).toBe('minimum:\n  disk_gib: 5\n');
  });

  it('loses a list with its last item, and the map of lists with its last list', () => {
    expect(removeIn('name: a\npackages:\n  - curl\n', ['packages', 0])).toBe('name: a\n');
    const both = addTo(
      addTo('name: a\n', ['services', 'mask'], 'b.timer'),
      ['services', 'enable'],
      'c.service',
    );
    expect(both).toBe('name: a\nservices:\n  mask:\n    - b.timer\n  enable:\n    - c.service\n');
    const one = removeIn(both, ['services', 'mask', 0]);
    expect(one).toBe('name: a\nservices:\n  enable:\n    - c.service\n');
    expect(removeIn(one, ['services', 'enable', 0])).toBe('name: a\n');
  });

  it.each(['services: x\n', 'services: []\n', 'services:\n', 'services: { enable: x }\n'])(
    'has units where %j was written',
    (text) => {
      const edited = addTo(text, ['services', 'enable'], 'c.service');
      expect(readRecipe(edited).draft?.services).toEqual({ enable: ['c.service'], disable: [], mask: [] });
    },
  );

  it('that is no YAML stays as it is', () => {
    expect(setIn('name: [', ['name'], 'a')).toBe('name: [');
  });

  it('writes a script as one reads it', () => {
    const script = '#!/bin/sh\nset -eu\n\techo "hello: $(hostname)" # here\n';
    const edited = setIn('name: a\n', ['first_boot_script'], script);
    expect(edited).toBe(
      `name: a\nfirst_boot_script: |\n  #!/bin/sh\n  set -eu\n  \techo "hello: $(hostname)" # here\n`,
    );
  });

  it('says what was put into it, whatever that is', () => {
    const layout = fc.string({ unit: fc.constantFrom(' ', '\n', '\t', 'a', '#', ':', '-', '"') });
    const anything = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(fc.oneof(anything, layout), fc.array(anything, { maxLength: 4 }), (content, packages) => {
        let text = setIn(RECIPE, ['files', 0, 'content'], content);
        for (const one of packages) text = addTo(text, ['packages'], one);
        text = setIn(text, ['first_boot_script'], content);
        const { draft } = readRecipe(text);
        expect(draft?.files[0]?.content).toBe(content);
        expect(draft?.packages).toEqual(['curl', ...packages]);
        expect(draft?.firstBootScript).toBe(content);
      }),
    );
  });
});
