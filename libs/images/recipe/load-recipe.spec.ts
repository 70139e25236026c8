import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { listRecipes, loadRecipe, parseRecipe } from './load-recipe.ts';
import { applianceOf } from './recipe.ts';

const builtIn = new URL('../../../catalog', import.meta.url).pathname;

const minimal = {
  schema: 1,
  name: 'probe',
  title: 'Probe',
  summary: 'A recipe for tests.',
  description: 'It has what a recipe must have.',
  category: 'os',
  icon: 'icon.svg',
  base: 'debian:bookworm',
  osFlavor: 'debian',
  osVersion: '12',
  licence: 'MIT',
  minimum: { memoryMib: 256, diskGib: 3 },
  health: [{ type: 'tcp', port: 22 }],
};

let catalog: string;
beforeEach(async () => {
  catalog = await mkdtemp(join(tmpdir(), 'catalog-'));
});
afterEach(() => rm(catalog, { recursive: true }));

async function addRecipe(
  recipe: typeof minimal & { files?: object[] },
  files: Record<string, string> = {},
): Promise<void> {
  const folder = join(catalog, recipe.name);
  for (const [path, content] of Object.entries({
    'recipe.yaml': stringify(recipe),
    'icon.svg': '<svg/>',
    ...files,
  })) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

async function named(more: object): Promise<string> {
  await addRecipe({ ...minimal, ...more });
  return minimal.name;
}

/** The head of a PNG of this size. */
function pngOf(widthPx: number, heightPx: number): Buffer {
  const head = Buffer.from('89504e470d0a1a0a0000000d49484452000000000000000008020000', 'hex');
  head.writeUInt32BE(widthPx, 16);
  head.writeUInt32BE(heightPx, 20);
  return head;
}

const fieldsOf = (recipe: object) => {
  try {
    parseRecipe('probe', stringify(recipe));
    return [];
  } catch (error) {
    expect(error).toMatchObject({ code: 'recipe_invalid', kind: 'invalid_input' });
    return (error as { fields: { name: string }[] }).fields.map((field) => field.name);
  }
};

describe('the built-in catalog', () => {
  it('has recipes that load, each with an icon and a check of its health', async () => {
    const recipes = await listRecipes(builtIn);
    expect(recipes.map((recipe) => recipe.name)).toEqual(expect.arrayContaining(['debian-12', 'web']));
    for (const recipe of recipes) {
      expect(recipe.iconSvg).toMatch(/^<svg [^>]*viewBox=/);
      expect(recipe.packages).toEqual(
        expect.arrayContaining(['cloud-init', 'qemu-guest-agent', 'openssh-server']),
      );
    }
  });

  it('lets web add to debian-12', async () => {
    const web = await loadRecipe(builtIn, 'web');
    expect(web.bases).toEqual(['debian-12']);
    expect(web.packages).toContain('nginx');
    expect(applianceOf(web).ports.map(({ port }) => port)).toEqual([22, 80]);
    expect(applianceOf(web).healthChecks).toContainEqual({ type: 'http', port: 80, path: '/', status: 200 });
  });
});

describe('parseRecipe', () => {
  it('takes the least that a recipe can say', () => {
    expect(parseRecipe('probe', stringify(minimal))).toMatchObject({
      name: 'probe',
      packages: [],
      ports: [],
    });
  });

  it.each([
    ['an unknown key', { colour: 'red' }, '(root)'],
    ['another version', { schema: 2 }, 'schema'],
    ['a name that is not its folder', { name: 'other' }, 'name'],
    ['a package that is none', { packages: ['nginx; reboot'] }, 'packages.0'],
    ['a package twice', { packages: ['nginx', 'curl', 'nginx'] }, 'packages.2'],
    ['a path out of the image', { files: [{ path: '/etc/../../root/.ssh/x' }] }, 'files.0.path'],
    ['a relative path', { files: [{ path: 'etc/motd' }] }, 'files.0.path'],
    ['a mode that YAML reads as a number', { files: [{ path: '/etc/motd', mode: 644 }] }, 'files.0.mode'],
    ['a unit that is an option', { services: { enable: ['--now'] } }, 'services.enable.0'],
    [
      'a port twice',
      { ports: ['http', 'tcp'].map((protocol) => ({ name: 'x', port: 80, protocol })) },
      'ports.1',
    ],
    ['a port out of range', { ports: [{ name: 'x', port: 70_000, protocol: 'tcp' }] }, 'ports.0.port'],
    ['no check of its health', { health: [] }, 'health'],
    ['a secret of an unknown kind', { secrets: ['password'] }, 'secrets.0'],
    ['an icon elsewhere', { icon: '../icon.svg' }, 'icon'],
    ['a screenshot of another kind', { screenshot: 'screenshot.jpg' }, 'screenshot'],
    ['a base that is no name', { base: '../debian-12' }, 'base'],
    ['too small a disk', { minimum: { memoryMib: 256, diskGib: 1 } }, 'minimum.diskGib'],
  ])('refuses %s and names the field', (_, change, field) => {
    expect(fieldsOf({ ...minimal, ...change })).toEqual([field]);
  });

  it('refuses what is not YAML, and YAML that multiplies itself', () => {
    for (const text of ['a: [', 'a: &x [1]\nb: *x\n']) {
      expect(() => parseRecipe('probe', text)).toThrow(expect.objectContaining({ code: 'recipe_invalid' }));
    }
  });

  it('never fails in another way, whatever the file holds', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.jsonValue().map((value) => stringify(value)),
        ),
        (text) => {
          expect(() => parseRecipe('probe', text)).toThrow(
            expect.objectContaining({ code: 'recipe_invalid' }),
          );
        },
      ),
    );
  });

  it('lets no path out of the image', () => {
    const part = fc.constantFrom('..', '.', '', 'etc', 'a b', '...', '.hidden');
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const path = `/${parts.join('/')}`;
        const safe = parts.every((name) => !['..', '.', ''].includes(name));
        expect(fieldsOf({ ...minimal, files: [{ path }] })).toEqual(safe ? [] : ['files.0.path']);
      }),
    );
  });
});

describe('loadRecipe', () => {
  it('says that there is no such recipe', async () => {
    await expect(loadRecipe(catalog, 'absent')).rejects.toMatchObject({ code: 'recipe_not_found' });
  });

  it('lets the own file win over the one of the base', async () => {
    await addRecipe({ ...minimal, files: [{ path: '/etc/motd' }] }, { 'files/etc/motd': 'base' });
    const own = { ...minimal, name: 'own', base: 'probe', files: [{ path: '/etc/motd', mode: '0600' }] };
    await addRecipe(own, { 'files/etc/motd': 'own' });
    const [file, ...others] = (await loadRecipe(catalog, 'own')).files;
    expect(others).toEqual([]);
    expect(file).toMatchObject({ mode: '0600', content: Buffer.from('own') });
  });

  it('refuses a file that is listed and absent, and one that is there and not listed', async () => {
    await addRecipe({ ...minimal, files: [{ path: '/etc/motd' }] });
    await expect(loadRecipe(catalog, 'probe')).rejects.toMatchObject({ fields: [{ name: 'files.0.path' }] });
    await addRecipe(minimal, { 'files/etc/motd': 'x' });
    await expect(loadRecipe(catalog, 'probe')).rejects.toMatchObject({ fields: [{ name: 'files' }] });
  });

  it('refuses recipes that stand on each other', async () => {
    await addRecipe({ ...minimal, base: 'other' });
    await addRecipe({ ...minimal, name: 'other', base: 'probe' });
    await expect(loadRecipe(catalog, 'probe')).rejects.toMatchObject({ fields: [{ name: 'base' }] });
  });

  it('hands down what the licence of its base forbids', async () => {
    const licence = { name: 'Proprietary', forbids: ['export'] };
    await addRecipe({ ...minimal, licence } as unknown as typeof minimal);
    await addRecipe({ ...minimal, name: 'above', base: 'probe' });
    const appliance = applianceOf(await loadRecipe(catalog, 'above'));
    expect([appliance.licence, appliance.licenceForbids]).toEqual(['MIT', ['export']]);
    expect(fieldsOf({ ...minimal, licence: { name: 'x', forbids: ['reading'] } })).toEqual(['licence']);
  });

  it('shows its own screenshot, which is no part of the image', async () => {
    const without = (await loadRecipe(catalog, await named({}))).sha256;
    await writeFile(join(catalog, 'probe', 'screenshot.png'), pngOf(800, 600));
    const recipe = await loadRecipe(catalog, await named({ screenshot: 'screenshot.png' }));
    expect(recipe.screenshot).toEqual({ png: pngOf(800, 600), widthPx: 800, heightPx: 600 });
    expect(applianceOf(recipe).screenshot).toEqual({ widthPx: 800, heightPx: 600 });
    expect(recipe.sha256).toBe(without);
    await addRecipe({ ...minimal, name: 'above', base: 'probe' });
    expect(applianceOf(await loadRecipe(catalog, 'above')).screenshot).toBeUndefined();
  });

  it.each([
    ['none', undefined],
    ['no PNG', Buffer.from('GIF89a')],
    ['a PNG without its size', pngOf(800, 600).subarray(0, 20)],
    ['a PNG of nothing', pngOf(0, 600)],
  ])('refuses a screenshot where there is %s', async (_, bytes) => {
    await named({ screenshot: 'screenshot.png' });
    if (bytes) await writeFile(join(catalog, 'probe', 'screenshot.png'), bytes);
    await expect(loadRecipe(catalog, 'probe')).rejects.toMatchObject({ fields: [{ name: 'screenshot' }] });
  });

  it('gives another digest to a recipe whose file changed by one byte', async () => {
    const recipe = { ...minimal, files: [{ path: '/etc/motd' }] };
    await addRecipe(recipe, { 'files/etc/motd': 'one' });
    const before = await loadRecipe(catalog, 'probe');
    expect((await loadRecipe(catalog, 'probe')).sha256).toBe(before.sha256);
    await addRecipe(recipe, { 'files/etc/motd': 'two' });
    expect((await loadRecipe(catalog, 'probe')).sha256).not.toBe(before.sha256);
  });
});
