import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FIRST_BOOT_UNIT,
  fileBytesOf,
  filesFaults,
  twinFaults,
  unitFaults,
  whyYamlTooLarge,
} from './recipe-rules.ts';
import { RECIPE_BODY_BYTES, RECIPE_LIMITS } from './recipe-spec.ts';

const units = (more: Partial<Parameters<typeof unitFaults>[0]>) =>
  unitFaults({ enable: [], disable: [], mask: [], ...more }).map(({ path }) => path.join('.'));

describe('units of a recipe', () => {
  it.each<[services: Parameters<typeof units>[0], wrong: string[]]>([
    [{ enable: ['a.timer'], disable: ['b.timer'], mask: ['b.timer'] }, []],
    [{ mask: ['a.timer', 'b.timer', 'a.timer'] }, ['services.mask.2']],
    [{ enable: ['a.timer', 'b.timer'], mask: ['b.timer'] }, ['services.enable.1']],
    [{ disable: ['a.timer', FIRST_BOOT_UNIT] }, ['services.disable.1']],
    [{ mask: [FIRST_BOOT_UNIT] }, ['services.mask.0']],
    [{ enable: [FIRST_BOOT_UNIT] }, []],
  ])('%j are wrong at %j', (services, wrong) => {
    expect(units(services)).toEqual(wrong);
  });

  it('cannot keep the first boot script from being run, and what to do instead is said', () => {
    const [fault] = unitFaults({ enable: [], disable: [], mask: [FIRST_BOOT_UNIT] });
    expect(fault?.message).toBe('runs the first boot script: leave first_boot_script out instead');
  });
});

it('what stands twice is told at each but its first place', () => {
  expect(twinFaults(['a', 'b', 'a', 'a'], ['files'], 'path')).toEqual(
    [2, 3].map((index) => ({ path: ['files', index, 'path'], message: 'a stands here twice' })),
  );
});

describe('files of a recipe', () => {
  it('are as large as in the image, whether they came as text or not', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: 'grapheme' }), (bytes, content) => {
        expect(fileBytesOf({ content_base64: Buffer.from(bytes).toString('base64') })).toBe(bytes.length);
        expect(fileBytesOf({ content })).toBe(Buffer.byteLength(content));
      }),
    );
    expect(fileBytesOf({})).toBe(0);
  });

  it('have a limit together, and what to do beyond it is said', () => {
    const half = { content: 'x'.repeat(RECIPE_LIMITS.filesBytes / 2) };
    expect(filesFaults([half, half])).toEqual([]);
    expect(filesFaults([half, half, { content: 'x' }])).toEqual([
      {
        path: ['files'],
        message:
          'must have at most 160 KiB together, and have 161 KiB: put large files into a Debian package, or fetch them in the first boot script',
      },
    ]);
  });
});

describe('a recipe as YAML', () => {
  it('has room for files and script of the largest size, and fits into a request as JSON spells it', () => {
    const files = randomBytes(RECIPE_LIMITS.filesBytes).toString('base64').length;
    const script = 'x\n'.repeat(RECIPE_LIMITS.scriptBytes / 2).replaceAll(/^x/gm, '  x').length;
    expect(files + script).toBeLessThan(RECIPE_LIMITS.yamlBytes - 32 * 1024);
    expect(6 * RECIPE_LIMITS.yamlBytes).toBeLessThan(RECIPE_BODY_BYTES);
  });

  it('says why it is too large, by its bytes', () => {
    const { yamlBytes } = RECIPE_LIMITS;
    expect(whyYamlTooLarge('x'.repeat(yamlBytes))).toBeUndefined();
    expect(whyYamlTooLarge('é'.repeat(yamlBytes / 2 + 1))).toMatch(
      /at most 320 KiB as YAML, and has 321 KiB: put/,
    );
  });
});
