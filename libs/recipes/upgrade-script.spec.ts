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
  units: [],
  services: [],
};
const file = { mode: '0640', owner: 'root', group: 'root', early: false };

let folder: string;

/** A machine whose apt and systemctl write down each of their words in a line of its own. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'upgrade-'));
  await mkdir(join(folder, 'bin'));
  for (const name of ['apt-get', 'systemctl', 'chown']) {
    const path = join(folder, 'bin', name);
    await writeFile(
      path,
      `#!/bin/sh\nfor word in ${name} "$@" END; do printf '%s\\0' "$word"; done >>"$CALLS"\n`,
    );
    await chmod(path, 0o755);
  }
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs it, and gives the calls that it made. */
async function calls(plan: Partial<UpgradePlan>): Promise<string[][]> {
  const log = join(folder, `calls-${Math.random()}`);
  await writeFile(log, '');
  const env = { PATH: `${folder}/bin:/usr/bin:/bin`, CALLS: log };
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

describe('an upgrade', () => {
  it('installs the very versions of the image, and removes what is gone, but for kernels', async () => {
    const packages = [
      { name: 'nginx', before: '1.22.1-9', after: '1.22.1-9+deb12u1' },
      { name: 'libx', before: null, after: '2:1.0~rc1-1' },
      { name: 'old', before: '1', after: null },
      { name: 'linux-image-6.1.0-37-cloud-amd64', before: '6.1.140-1', after: null },
    ];
    const [update, install, remove, ...rest] = await calls({ packages });
    expect(update).toEqual(['apt-get', 'update']);
    expect(install?.slice(-3)).toEqual(['--', 'nginx=1.22.1-9+deb12u1', 'libx=2:1.0~rc1-1']);
    expect(install).toContain('--allow-downgrades');
    expect(remove).toEqual(['apt-get', 'remove', '--yes', '--', 'old']);
    expect(rest).toEqual([]);
  });

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
