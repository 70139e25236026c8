import fc from 'fast-check';
import { type RecipeSpec, recipeSpec } from '#libs/contracts';

/** Texts that other readers take for something else: shell, YAML, XML, other types, ends of lines and documents. */
export const nastyText = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
  fc.constantFrom(
    ...[
      '',
      ' ',
      '\n',
      '\n\n',
      ' a',
      'a ',
      'a\n',
      'a\n\n',
      '\ta',
      'a\r\nb',
      'a\rb',
      '\u0085',
      '\u2028',
      '\ufeffx',
    ],
    ...[
      'yes',
      'no',
      'null',
      '~',
      '0644',
      '0o17',
      '1e3',
      '.inf',
      '2001-01-01',
      '<<',
      '=',
      '---',
      '...',
      '--- x\n...\n',
    ],
    ...[
      "'; reboot; '",
      '$(reboot)',
      '`reboot`',
      '"; reboot #',
      '&& reboot',
      'EOF\nreboot\n',
      '\\',
      '%s',
      '%n',
      '!x',
    ],
    ...[
      '</files><x>',
      ']]>',
      '&amp;',
      '*a',
      '&a b',
      '!!python/object',
      '- a: b',
      'a: b',
      '# a',
      'a #b',
      '{a: b}',
    ],
  ),
  fc
    .array(fc.constantFrom(' ', '\n', 'a', '\t', '#', ':', '-', "'", '"'), { maxLength: 12 })
    .map((parts) => parts.join('')),
);

const line = (maxLength: number) =>
  nastyText
    .map((text) =>
      text
        .replaceAll(/[\p{Cc}\p{Cs}]/gu, '')
        .trim()
        .slice(0, maxLength),
    )
    .map((text) => (text.isWellFormed() ? text : ''));
const list = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 4 });

export const packageName = fc.stringMatching(/^[a-z0-9][a-z0-9+.-]{1,20}$/);
export const unitName = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9:_.@-]{0,10}\.(service|timer)$/);
export const filePath = list(nastyText)
  .map((parts) => `/${parts.map((part) => part.replaceAll(/[/\p{Cc}\p{Cs}]/gu, '')).join('/')}`)
  .filter((path) => /^(?:\/(?!\.{1,2}(?:\/|$))[^/\p{Cc}\p{Cs}]+)+$/u.test(path) && path.length < 1000);
const userName = fc.stringMatching(/^[a-z_][a-z0-9_-]{0,10}$/);

const file = fc
  .record({
    path: filePath,
    mode: fc.stringMatching(/^0[0-7]{3}$/),
    owner: userName,
    group: userName,
    content: fc.oneof(
      nastyText.map((content) => ({ content })),
      fc
        .uint8Array({ maxLength: 50 })
        .map((bytes) => ({ content_base64: Buffer.from(bytes).toString('base64') })),
    ),
  })
  .map(({ content, ...rest }) => ({ ...rest, ...content }));

/** Recipes whose fields are each as they must be, as they are stored. */
export const anyRecipe: fc.Arbitrary<RecipeSpec> = fc
  .record(
    {
      name: fc.stringMatching(/^[a-z][a-z0-9-]{0,10}[a-z0-9]$/),
      title: line(60).filter((text) => text !== ''),
      summary: line(140),
      components: list(fc.constantFrom('nginx', 'php', 'redis')),
      packages: list(packageName),
      files: list(file),
      services: fc.record({ enable: list(unitName), disable: list(unitName), mask: list(unitName) }),
      first_boot_script: fc.option(nastyText),
      ports: list(
        fc.record({
          name: line(40).filter((text) => text !== ''),
          port: fc.integer({ min: 1, max: 65_535 }),
          protocol: fc.constantFrom('tcp', 'udp', 'http', 'https', 'ssh'),
        }),
      ),
      health: list(
        fc.oneof(
          fc.record({ type: fc.constant('tcp'), port: fc.integer({ min: 1, max: 65_535 }) }),
          fc.record({
            type: fc.constant('http'),
            port: fc.integer({ min: 1, max: 65_535 }),
            path: fc.stringMatching(/^\/[\x21-\x7e]{0,20}$/),
            status: fc.integer({ min: 100, max: 599 }),
          }),
        ),
      ),
      minimum: fc.record({
        memory_mib: fc.integer({ min: 128, max: 4096 }),
        disk_gib: fc.integer({ min: 2, max: 64 }),
      }),
    },
    { requiredKeys: ['name'] },
  )
  .map((fields) => recipeSpec.parse(fields));
