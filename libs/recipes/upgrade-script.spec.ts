import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FIRST_BOOT } from './image-paths.ts';
import { filePath, nastyText, packageName, unitName } from './recipes.arbitrary.fixture.ts';
import { shellWord, type UpgradePlan, upgradeScript } from './upgrade-script.ts';

const run = promisify(execFile);
const nothing: UpgradePlan = {
  title: 'Shop, version 2',
  packages: [],
  filesToWrite: [],
  filesToRemove: [],
  madeByServers: [],
  units: [],
  services: [],
};
const file = { mode: '0640', owner: 'root', group: 'root', early: false };

let folder: string;

/**
 * A machine whose apt and systemctl write down each of their words in a line of its own. Its dpkg is Debian's; apt installs what
 * the archive has, and a package may make files while it is installed.
 */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'upgrade-'));
  await mkdir(join(folder, 'bin'));
  const note = (name: string) => `for word in ${name} "$@" END; do printf '%s\\0' "$word"; done >>"$CALLS"`;
  const programs = { 'apt-get': APT_INSTALLS, systemctl: '', chown: '' };
  for (const [name, does] of Object.entries(programs)) {
    const path = join(folder, 'bin', name);
    await writeFile(path, `#!/bin/sh\n${note(name)}\n${does}`);
    await chmod(path, 0o755);
  }
});
afterAll(() => rm(folder, { recursive: true }));

const APT_INSTALLS = `[ "$1" = install ] || exit 0
while [ "$1" != -- ]; do shift; done
shift
for name; do
  version=$(cat "$ARCHIVE/$name") || exit 100
  printf 'Package: %s\\nStatus: install ok installed\\nArchitecture: all\\nVersion: %s\\n\\n' "$name" "$version" \\
    >"$DPKG_ADMINDIR/of/$name"
  [ ! -e "$ARCHIVE/$name.postinst" ] || . "$ARCHIVE/$name.postinst"
done
cat "$DPKG_ADMINDIR"/of/* >"$DPKG_ADMINDIR/status"
`;

/** What a machine has installed, and what its archive has, by name and version; scripts of packages, by name. */
interface Machine {
  readonly installed?: Readonly<Record<string, string>>;
  readonly archive?: Readonly<Record<string, string>>;
  readonly postinst?: Readonly<Record<string, string>>;
}

let machines = 0;

async function newMachine({ installed = {}, archive = {}, postinst = {} }: Machine) {
  const at = join(folder, `machine-${machines++}`);
  const [admin, packages] = [join(at, 'dpkg'), join(at, 'archive')];
  for (const one of [join(admin, 'of'), join(admin, 'updates'), packages])
    await mkdir(one, { recursive: true });
  for (const [name, version] of Object.entries(archive)) await writeFile(join(packages, name), version);
  for (const [name, script] of Object.entries(postinst)) {
    await writeFile(join(packages, `${name}.postinst`), script);
  }
  for (const [name, version] of Object.entries(installed)) {
    const fields = [
      `Package: ${name}`,
      'Status: install ok installed',
      'Architecture: all',
      `Version: ${version}`,
    ];
    await writeFile(join(admin, 'of', name), `${fields.join('\n')}\n\n`);
  }
  await run('/bin/sh', ['-c', 'cat /dev/null of/* >status || :'], { cwd: admin });
  const log = join(at, 'calls');
  await writeFile(log, '');
  const env = { PATH: `${folder}/bin:/usr/bin:/bin`, CALLS: log, DPKG_ADMINDIR: admin, ARCHIVE: packages };
  return { log, env };
}

/** Runs it, and gives the calls that it made. */
async function calls(plan: Partial<UpgradePlan>, on: Machine = {}): Promise<string[][]> {
  const { log, env } = await newMachine(on);
  await run('/bin/sh', ['-c', upgradeScript({ ...nothing, ...plan })], { env });
  const words = (await readFile(log, 'utf8')).split('\0').slice(0, -1);
  const found: string[][] = [];
  for (let at = 0; at < words.length; ) {
    const end = words.indexOf('END', at);
    found.push(words.slice(at, end));
    at = end + 1;
  }
  return found;
}

/** What apt was asked to install. */
async function installedBy(packages: UpgradePlan['packages'], on: Machine): Promise<string[] | undefined> {
  const install = (await calls({ packages }, on)).find(([, verb]) => verb === 'install');
  expect(install ?? []).not.toContain('--allow-downgrades');
  return install?.slice(install.indexOf('--') + 1);
}

describe('the packages of an upgrade', () => {
  const nginx = { name: 'nginx', before: '1.22.1-9', after: '1.22.1-9+deb12u1' };
  const added = { name: 'libx', before: null, after: '2:1.0~rc1-1' };

  it('are installed where they are older or absent, and removed where they are gone, but for kernels', async () => {
    const packages = [
      ...[nginx, added, { name: 'old', before: '1', after: null }],
      { name: 'linux-image-6.1.0-37-cloud-amd64', before: '6.1.140-1', after: null },
    ];
    const [update, install, remove, ...rest] = await calls(
      { packages },
      { installed: { nginx: '1.22.1-9' }, archive: { nginx: '1.22.1-9+deb12u1', libx: '2:1.0~rc1-1' } },
    );
    expect(update).toEqual(['apt-get', 'update']);
    expect(install?.slice(-3)).toEqual(['--', 'nginx', 'libx']);
    expect(remove).toEqual(['apt-get', 'remove', '--yes', '--', 'old']);
    expect(rest).toEqual([]);
  });

  it('are left alone where the server is ahead of the image, or has the very version', async () => {
    const on = { installed: { nginx: '1.22.1-9+deb12u3', libx: '2:1.0~rc1-1' } };
    expect(await calls({ packages: [nginx, added] }, on)).toEqual([]);
  });

  it('are those of the archive, where it has newer ones than the image', async () => {
    const on = { installed: { nginx: '1.22.1-9' }, archive: { nginx: '1.22.1-9+deb12u3' } };
    expect(await installedBy([nginx], on)).toEqual(['nginx']);
  });

  it('fail it where the archive has none as new as the image’s', async () => {
    const on = { installed: { nginx: '1.22.1-9' }, archive: { nginx: '1.22.1-9' } };
    await expect(calls({ packages: [nginx] }, on)).rejects.toMatchObject({
      stderr: expect.stringContaining('no nginx of version 1.22.1-9+deb12u1 or newer'),
    });
  });

  it('bring the kernel of today, where the image’s own is gone from the archive', async () => {
    const packages = [
      { name: 'linux-image-6.1.0-38-cloud-amd64', before: null, after: '6.1.147-1' },
      { name: 'linux-image-cloud-amd64', before: '6.1.140-1', after: '6.1.147-1' },
    ];
    const on = {
      installed: { 'linux-image-cloud-amd64': '6.1.140-1' },
      archive: { 'linux-image-cloud-amd64': '6.1.153-1' },
    };
    expect(await installedBy(packages, on)).toEqual(['linux-image-cloud-amd64']);
  });

  it('find the files there that must lie there before them', async () => {
    const [early, late] = [join(folder, 'early.conf'), join(folder, 'late.conf')];
    const filesToWrite = [late, early].map((path) => ({
      ...{ ...file, path, content: Buffer.from('x'), early: path === early },
    }));
    const seen = join(folder, 'seen');
    await calls(
      { packages: [added], filesToWrite },
      { archive: { libx: added.after }, postinst: { libx: `ls ${folder}/*.conf >${seen}` } },
    );
    expect(await readFile(seen, 'utf8')).toBe(`${early}\n`);
    expect(await readFile(late, 'utf8')).toBe('x');
  });

  it('leave nothing behind of what each server makes for itself, and lose nothing that it had', async () => {
    const [key, database] = [join(folder, "it's a key"), join(folder, 'database')];
    await writeFile(database, 'mine');
    const make = [key, database].map((path) => `echo theirs >>${shellWord(path)}\n`).join('');
    const units = [
      { name: 'db.service', before: null, after: 'enable' },
      { name: 'other.service', before: 'enable', after: 'disable' },
    ];
    const made = await calls(
      { packages: [added], units, madeByServers: [key, database] },
      { archive: { libx: added.after }, postinst: { libx: make } },
    );
    await expect(stat(key)).rejects.toThrow();
    expect(await readFile(database, 'utf8')).toBe('minetheirs\n');
    const verbs = made.filter(([name]) => name === 'systemctl').map((words) => words.slice(1).join(' '));
    expect(verbs).toEqual([
      'stop -- db.service',
      'disable --now -- other.service',
      'enable --now -- db.service',
    ]);
  });
});

describe('an upgrade', () => {
  it('does nothing where nothing is different', async () => {
    expect(await calls({ services: ['nginx.service'] })).toEqual([]);
  });

  it('enables, masks and unmasks units as the image has them, and lets services read their files anew', async () => {
    const units = [
      { name: 'a.service', before: null, after: 'enable' },
      { name: 'b.service', before: 'enable', after: 'disable' },
      { name: 'c.timer', before: 'mask', after: 'enable' },
      { name: 'd.service', before: 'enable', after: null },
      { name: FIRST_BOOT.unit, before: null, after: 'enable' },
    ];
    const filesToWrite = [{ ...file, path: join(folder, 'x'), content: Buffer.from('x') }];
    const services = ['a.service', 'x.timer', FIRST_BOOT.unit];
    const made = (await calls({ units, filesToWrite, services })).filter(([name]) => name === 'systemctl');
    expect(made.map((words) => words.slice(1).join(' '))).toEqual([
      'daemon-reload',
      'unmask -- c.timer',
      'disable --now -- b.service',
      'enable --now -- a.service c.timer',
      'try-reload-or-restart -- a.service',
    ]);
  });

  it('leaves the first boot to new servers', () => {
    const of = [FIRST_BOOT.scriptPath, FIRST_BOOT.unitPath];
    const filesToWrite = of.map((path) => ({ ...file, path, content: Buffer.from('x') }));
    const script = upgradeScript({ ...nothing, filesToWrite, filesToRemove: of });
    for (const path of of) expect(script).not.toContain(path);
  });

  it('writes files byte for byte, whatever is in them and wherever they are, and removes them', async () => {
    const content = fc.oneof(
      nastyText.map((text) => Buffer.from(text)),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(filePath, content), { maxLength: 8 }), async (written) => {
        const root = join(folder, `root-${count++}`);
        const filesToWrite = written.map(([path, bytes], index) => ({
          ...{ ...file, path: `${root}/${index}${path.slice(0, 200)}`, content: bytes },
        }));
        await calls({ filesToWrite });
        for (const { path, content: bytes } of filesToWrite) {
          expect((await readFile(path)).equals(bytes)).toBe(true);
          expect((await stat(path)).mode & 0o777).toBe(0o640);
        }
        await calls({ filesToRemove: filesToWrite.map(({ path }) => path) });
        for (const { path } of filesToWrite) await expect(stat(path)).rejects.toThrow();
      }),
      { numRuns: 8 },
    );
  });

  it('says names to its tools, and nothing to the shell', async () => {
    const name = fc.oneof(
      packageName,
      unitName,
      nastyText.filter((text) => !text.includes('\0')),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(name, { minLength: 1, maxLength: 5 }), nastyText, async (names, title) => {
        const packages = names.map((one) => ({ name: one, before: '1', after: null }));
        const kept = names.filter((one) => !one.startsWith('linux-image-'));
        const made = await calls({ title, packages });
        if (kept.length === 0) return expect(made).toEqual([]);
        expect(made).toEqual([['apt-get', 'remove', '--yes', '--', ...kept]]);
      }),
      { numRuns: 20 },
    );
  });
});

describe('shellWord', () => {
  it('is one word for any shell', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(nastyText, { maxLength: 50 }), async (texts) => {
        const words = texts.map(shellWord).join(' ');
        const { stdout } = await run('/bin/sh', [
          '-c',
          `for word in ${words}; do printf '%s\\0' "$word"; done`,
        ]);
        expect(stdout.split('\0').slice(0, -1)).toEqual(texts.map((text) => text.toWellFormed()));
      }),
      { numRuns: 20 },
    );
  });
});
