import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type RecipeSpec, recipeSpec } from '#libs/contracts';
import { checkRecipe } from './check-recipe.ts';
import { composeRecipe } from './compose-recipe.ts';
import { fileChanges, imageParts } from './image-changes.ts';
import { FIRST_BOOT, whyNotAt } from './image-paths.ts';
import { anyRecipe, filePath, nastyText } from './recipes.arbitrary.fixture.ts';
import { Shelf, type Stock } from './shelf.ts';

const run = promisify(execFile);
const catalog = new URL('../../catalog', import.meta.url).pathname;
let stock: Stock;
beforeAll(async () => {
  stock = await new Shelf(catalog).stock();
});

const specOf = (more: Partial<RecipeSpec> = {}) => recipeSpec.parse({ name: 'shop', ...more });
const fileAt = (more: Partial<RecipeSpec>, path: string) =>
  composeRecipe(specOf(more), stock).recipe.files.find((file) => file.path === path);

describe('the components of the catalog', () => {
  it('can each be cooked alone, and bake in no key or password', () => {
    expect(stock.components.size).toBeGreaterThanOrEqual(16);
    for (const { name } of stock.components.values()) {
      expect([name, checkRecipe(specOf({ components: [name] }), stock)]).toEqual([name, []]);
    }
  });

  it('remove the keys that their packages make while they are configured', () => {
    const withSnakeoil = ['postgresql', 'postfix', 'dovecot'];
    for (const name of withSnakeoil) {
      expect(stock.components.get(name)?.remove).toContain('/etc/ssl/private/ssl-cert-snakeoil.key');
    }
    expect(stock.components.get('mariadb')?.remove).toContain('/var/lib/mysql');
  });

  it('tell of a check for each port that they open', () => {
    for (const { name, ports, health } of stock.components.values()) {
      const checked = health.map(({ port }) => port);
      expect([name, ports.map(({ port }) => port).filter((port) => !checked.includes(port))]).toEqual([
        name,
        [],
      ]);
    }
  });
});

describe('a recipe that is put together', () => {
  it('has what its base has, then its components, then its own, which wins', () => {
    const path = '/var/www/html/index.html';
    const own = {
      components: ['nginx'],
      files: [{ path, content: 'mine', mode: '0600', owner: 'root', group: 'root' }],
    };
    const { recipe, appliance } = composeRecipe(specOf({ ...own, packages: ['git'] }), stock);
    expect(recipe.bases).toEqual(['debian-12']);
    expect(recipe.packages).toEqual(expect.arrayContaining(['cloud-init', 'nginx', 'git']));
    expect(fileAt(own, path)).toMatchObject({ content: Buffer.from('mine'), mode: '0600' });
    expect(appliance.ports.map(({ port }) => port)).toEqual([22, 80]);
    expect(appliance.healthChecks).toEqual(
      expect.arrayContaining([
        { type: 'tcp', port: 22 },
        { type: 'tcp', port: 80 },
      ]),
    );
    expect(appliance.runsFirstBoot).toBeUndefined();
  });

  it('is the same whosever it is, and another one where anything is different', () => {
    fc.assert(
      fc.property(anyRecipe, anyRecipe, (one, other) => {
        fc.pre(checkRecipe(one, stock).length === 0 && checkRecipe(other, stock).length === 0);
        const digest = (spec: RecipeSpec) => composeRecipe(spec, stock).recipe.sha256;
        expect(digest(structuredClone(one))).toBe(digest(one));
        if (JSON.stringify(one) !== JSON.stringify(other)) expect(digest(other)).not.toBe(digest(one));
      }),
    );
  });

  it('asks for the largest that any of its parts needs', () => {
    const minimum = { memory_mib: 600, disk_gib: 2 };
    const { appliance } = composeRecipe(specOf({ components: ['postgresql'], minimum }), stock);
    expect([appliance.minimumMemoryMib, appliance.minimumDiskGib]).toEqual([1024, 3]);
  });

  it('names no file but those of its parts, wherever a path would lead', () => {
    fc.assert(
      fc.property(filePath, (path) => {
        const spec = specOf({ files: [{ path, content: '', mode: '0644', owner: 'root', group: 'root' }] });
        if (checkRecipe(spec, stock).length > 0) return expect(whyNotAt(path)).toBeDefined();
        const [base, own] = [composeRecipe(specOf(), stock), composeRecipe(spec, stock)];
        const before = new Set(base.recipe.files.map((file) => file.path));
        const added = own.recipe.files.map((file) => file.path).filter((one) => !before.has(one));
        expect(added.filter((one) => one !== path)).toEqual([]);
        expect(path.split('/').slice(1)).not.toContain('..');
      }),
    );
  });

  it.each([
    '/proc/x',
    '/var/run/x',
    '/etc/machine-id',
    '/etc/ssh/ssh_host_ed25519_key',
    '/boot/grub/grub.cfg',
    FIRST_BOOT.unitPath,
  ])('has no file at %s', (path) => {
    expect(whyNotAt(path)).toBeDefined();
  });

  it.each([
    '/var/log/x',
    '/var/log/shop/x',
    '/var/tmp/x',
    '/root/.cache/x',
    '/etc/passwd-',
    '/etc/shop-/x',
    '/var/lib/systemd/random-seed',
  ])('has no file at %s, which would not stay', (path) => {
    expect(whyNotAt(path)).toBeDefined();
  });

  it.each(['/lib/servery/first-boot', '/var/run', '/var/lock/x', '/bin', '/lib64'])(
    'has no file at %s, where a link of Debian leads',
    (path) => {
      expect(whyNotAt(path)).toBeDefined();
    },
  );

  it.each([
    ['/etc/mailname', { components: ['postfix'] }],
    ['/var/lib/mysql/shop/x', { components: ['mariadb'] }],
    ['/var/lib/mysql/shop/x', { base: 'wordpress' }],
  ])('has no file at %s where %j removes it', (path, more) => {
    const files = [{ path, content: '', mode: '0644', owner: 'root', group: 'root' }];
    expect(checkRecipe(specOf({ files }), stock)).toEqual([]);
    expect(checkRecipe(specOf({ ...more, files }), stock)).toMatchObject([{ path: ['files', 0, 'path'] }]);
  });

  it('has one file at a path, whichever link of Debian leads there', () => {
    const files = ['/bin/shop', '/usr/bin/shop', '/usr/bin/shop/x'].map((path) => ({
      ...{ path, content: '', mode: '0644', owner: 'root', group: 'root' },
    }));
    const problems = checkRecipe(specOf({ files }), stock);
    expect(problems.map(({ path }) => path)).toEqual([
      ['files', 1, 'path'],
      ['files', 2, 'path'],
    ]);
  });

  it.each([
    ...['/etc/ssh/sshd_config.d/x.conf', '/bootstrap', '/etc/hosts.allow', '/runs/x', '/srv/proc/x'],
    ...['/lib/systemd/system/x.service', '/binary', '/var/logs', '/etc/shop/x-', '/root/.cached'],
  ])('may have a file at %s', (path) => {
    expect(whyNotAt(path)).toBeUndefined();
  });
});

describe('a first boot script', () => {
  it('is a unit that runs it once, when all that the recipe starts has been started', () => {
    const more = { components: ['nginx'], services: { enable: ['own.service'], disable: [], mask: [] } };
    const { recipe, appliance } = composeRecipe(specOf({ ...more, first_boot_script: 'echo' }), stock);
    expect(appliance.runsFirstBoot).toBe(true);
    expect(recipe.services.enable).toContain(FIRST_BOOT.unit);
    const unit = String(fileAt({ ...more, first_boot_script: 'echo' }, FIRST_BOOT.unitPath)?.content);
    for (const line of [
      'After=cloud-init.service',
      'After=nginx.service',
      'After=own.service',
      `ConditionPathExists=!${FIRST_BOOT.donePath}`,
      `ExecStart=${FIRST_BOOT.scriptPath}`,
    ]) {
      expect(unit.split('\n')).toContain(line);
    }
  });

  it('stands nowhere but in its own file, byte for byte, readable by root alone', () => {
    fc.assert(
      fc.property(nastyText, (text) => {
        const script = `#!/bin/sh\n: ${text}\n`;
        const { recipe } = composeRecipe(specOf({ first_boot_script: script }), stock);
        const file = recipe.files.find(({ path }) => path === FIRST_BOOT.scriptPath);
        expect(file).toMatchObject({ content: Buffer.from(script), mode: '0700', owner: 'root' });
        const plain = composeRecipe(specOf({ first_boot_script: '#!/bin/sh\n: \n' }), stock).recipe;
        const others = ({ files }: typeof recipe) =>
          files.filter(({ path }) => path !== FIRST_BOOT.scriptPath);
        expect(others(recipe)).toEqual(others(plain));
      }),
    );
  });

  it('is run by /bin/sh where it does not say by what', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'first-boot-'));
    const content = fileAt({ first_boot_script: 'echo "$0 by sh"\n' }, FIRST_BOOT.scriptPath)?.content ?? '';
    await writeFile(join(folder, 'script'), content, { mode: 0o700 });
    expect((await run(join(folder, 'script'))).stdout).toContain('by sh');
    await rm(folder, { recursive: true });
  });

  it('has a unit that systemd takes', async () => {
    const content =
      fileAt({ components: ['nginx'], first_boot_script: 'true' }, FIRST_BOOT.unitPath)?.content ?? '';
    const folder = await mkdtemp(join(tmpdir(), 'first-boot-'));
    await writeFile(
      join(folder, FIRST_BOOT.unit),
      String(content).replace(FIRST_BOOT.scriptPath, '/bin/true'),
    );
    const { stderr } = await run('systemd-analyze', [
      'verify',
      '--man=no',
      join(folder, FIRST_BOOT.unit),
    ]).catch((error: { stderr: string }) => error);
    expect(stderr.split('\n').filter((line) => line.includes(FIRST_BOOT.unit))).toEqual([]);
    await rm(folder, { recursive: true });
  });
});

describe('the files of two recipes', () => {
  it('are different where one was added, is gone, or is another, and nowhere else', () => {
    const named = fc.dictionary(fc.constantFrom('/a', '/b', '/c', '/d'), fc.constantFrom('1', '2'));
    fc.assert(
      fc.property(named, named, (before, after) => {
        const { added, removed, changed } = fileChanges(before, after);
        const result = new Map<string, string>(Object.entries(before));
        for (const path of [...added, ...changed]) result.set(path, after[path] ?? '');
        for (const path of removed) result.delete(path);
        expect(result).toEqual(new Map(Object.entries(after)));
        expect(fileChanges(after, after)).toEqual({ added: [], removed: [], changed: [] });
      }),
    );
  });

  it('are others where their owner or mode is', () => {
    const path = '/etc/x';
    const of = (more: object) =>
      imageParts(
        composeRecipe(
          specOf({ files: [{ path, content: 'x', mode: '0644', owner: 'root', group: 'root', ...more }] }),
          stock,
        ).recipe,
      ).files[path];
    expect(
      new Set([of({}), of({ mode: '0600' }), of({ owner: 'www-data' }), of({ content: 'y' })]).size,
    ).toBe(4);
    expect(of({ content: undefined, content_base64: 'eA==' })).toBe(of({}));
  });
});
