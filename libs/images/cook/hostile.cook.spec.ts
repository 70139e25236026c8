import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalogDir } from '../../../test/catalog/use.ts';
import { loadRecipe, type Recipe } from '../recipe/index.ts';
import { type Built, build } from './build.ts';
import { cookFrom } from './cook-image.ts';
import { type CookLimits, limitsFor } from './limits.ts';
import { type LocalPackage, makePackage, supplyWith } from './local-packages.fixture.ts';
import type { PackageState } from './package-state.ts';
import { processesOf } from './wall/behind-wall.fixture.ts';

const outputDir =
  process.env.SERVERY_IMAGES_DIR || new URL('../../../.servery/test-images', import.meta.url).pathname;
const cacheDir = join(outputDir, '.cache');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hostile-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What every package may do: the least that is asked of a script, so that those who were stopped can be told. */
const MARKED = 'echo installed > /etc/marked';

describe('a package whose script is hostile, upon a root without a kernel', () => {
  const release = 'bookworm';
  let foundation: { state: PackageState; epochSeconds: number; archive: string };
  let count = 0;

  /** Builds a root of Debian's foundation and one local package on top. */
  async function install(extra: LocalPackage | undefined, limits: Partial<CookLimits> = {}) {
    count += 1;
    const supply = supplyWith(extra ? [extra] : []);
    const state = await supply.choose(release, extra ? [extra.chosen.name] : [], { cacheDir });
    const workDir = join(folder, `work-${count}`);
    const repositoryDir = join(folder, `packages-${count}`);
    const epochSeconds = await supply.fetch(state, repositoryDir, { cacheDir });
    const minimum = { memoryMib: 256, diskGib: 2 };
    const recipe = { release, packages: extra ? [extra.chosen.name] : [], remove: [], minimum };
    const lines: string[] = [];
    const begun = foundation?.archive;
    const building = build({
      job: {
        recipe: { ...recipe, services: { enable: [], disable: [], mask: [] } },
        ...{ files: [], epochSeconds, keepsRoot: true, installed: [] },
        inBase: begun === undefined ? undefined : foundation.state.packages.length,
      },
      ...{
        repositoryDir,
        baseArchive: begun,
        workDir,
        onProgress: () => {},
        onLine: (line: string) => lines.push(line),
      },
      limits: { ...limitsFor({ minimum }), diskGib: 2, wallSeconds: 600, ...limits },
    });
    const built: Built | Error = await building.catch((error: Error) => error);
    return { built, lines, state, epochSeconds };
  }

  beforeAll(async () => {
    const { built, state, epochSeconds } = await install(undefined);
    if (built instanceof Error) throw built;
    await chmod(built.rootArchive, 0o644);
    foundation = { state, epochSeconds, archive: built.rootArchive };
  });

  it.each<[what: string, code: string, script: string, limits: Partial<CookLimits>]>([
    ['fails', 'cook_step_failed', 'echo "I will not"; exit 7', {}],
    ['fills the disk', 'cook_disk_full', 'cat /dev/zero > /var/full || exit 1', {}],
    ['waits for ever', 'cook_out_of_time', "trap '' TERM; while :; do sleep 1; done", { wallSeconds: 100 }],
    ['forks without end', 'cook_too_many_processes', "perl -e 'fork while 1'", { processes: 128 }],
    [
      'takes memory without end',
      'cook_out_of_memory',
      `perl -e '@a = map { "x" x 8_000_000 } 1..1000; sleep 99'`,
      { memoryMib: 700 },
    ],
    ['prints without end', 'cook_output_too_long', 'yes', { logBytes: 1024 ** 2 }],
    ['kills all that it can', 'cook_step_failed', 'kill -9 -1', {}],
  ])('that %s ends with %s, nothing is left, and the next build works', async (_, code, script, limits) => {
    const { built, lines } = await install(await makePackage(folder, `hostile-${count}`, script), limits);
    expect(built).toMatchObject({ code, message: expect.stringMatching(/\.|:/) });
    if (code === 'cook_step_failed' && script.includes('echo'))
      expect(lines.join('\n')).toContain('I will not');
    await expect.poll(() => processesOf(folder), { timeout: 20_000 }).toEqual([]);
    expect((await readdir(join(folder, `work-${count}`))).toSorted()).toEqual(['root.tar', 'stage']);
    const next = await install(await makePackage(folder, `honest-${count}`, MARKED));
    expect(next.built).toMatchObject({ rootArchive: expect.any(String) });
  });

  it('that asks for the name of its machine is told one, as on any machine', async () => {
    const asking = 'echo "fqdn=$(hostname --fqdn) file=$(cat /etc/hostname)"';
    const { built, lines } = await install(await makePackage(folder, 'named', asking));
    expect(built).toMatchObject({ rootArchive: expect.any(String) });
    expect(lines.join('\n')).toContain('fqdn=builder.localdomain file=builder');
  });
});

/** What a script of an image that is on sale could try without being noticed: each that works says so, and none names the secret. */
const quietAttacks = (secretPath: string, secret: string, port: number) => `
say() { echo "ATTACK $*"; }
exec 2>/dev/null
for path in ${secretPath} /proc/1/root${secretPath} /proc/self/cwd${secretPath}; do test -e $path && say "saw $path"; done
grep -q ${secret.slice(0, -1)}[${secret.at(-1)}] /proc/*/environ && say 'saw an environment'
test -e /dev/vda && say 'saw a disk'
mknod /disk b 254 0 && say 'made a disk'
mknod /memory c 1 1 && say 'made memory'
mount -t tmpfs none /mnt && say mounted
unshare --mount true && say unshared
perl -e 'use Socket; socket(S, AF_INET, SOCK_STREAM, 0) && connect(S, sockaddr_in(${port}, inet_aton("127.0.0.1"))) || exit 1' && say connected
perl -e '
  mkdir "/jail"; chroot "/jail"; chdir ".." for 1..20; chroot ".";
  print "ATTACK escaped the wall\\n" if -e "${secretPath}" || -d "/home" || -d "/root";
'
ln -sfn ${secretPath} /etc/fstab
ln -sfn /proc/self/exe /etc/hosts
rm -rf /etc/apt/sources.list && ln -s ${secretPath} /etc/apt/sources.list
setsid sleep 600 < /dev/null > /dev/null 2>&1 &
${MARKED}
exit 0
`;

describe('a recipe with a hostile package, cooked whole', () => {
  it('finds nothing, reaches nothing, and makes an image of nothing but itself', async () => {
    const secret = `marker-${process.pid}-${Date.now()}`;
    const secretPath = join(folder, 'secret');
    await writeFile(secretPath, secret, { mode: 0o666 });
    process.env.HOSTILE_SPEC_SECRET = secret;
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const hostile = await makePackage(folder, 'hostile-image', quietAttacks(secretPath, secret, port));
    const base = await loadRecipe(catalogDir, 'debian-12');
    const recipe: Recipe = {
      ...{ ...base, name: 'hostile', base, bases: ['debian-12'], sha256: '0'.repeat(64) },
      packages: [...base.packages, 'hostile-image'],
    };
    const lines: string[] = [];
    const cooking = cookFrom(supplyWith([hostile]), {
      recipe,
      outputDir,
      force: false,
      onLine: (line) => lines.push(line),
    });
    const image = await cooking.finally(() => server.close());
    expect(lines.filter((line) => line.startsWith('ATTACK'))).toEqual([]);
    expect(connections).toBe(0);
    expect(await readFile(secretPath, 'utf8')).toBe(secret);
    expect(image.manifest.packages.map(({ name }) => name)).toContain('hostile-image');
    expect((await readFile(image.diskPath)).includes(secret)).toBe(false);
    expect((await readdir(outputDir)).filter((name) => name.startsWith('.cooking'))).toEqual([]);
    await rm(join(outputDir, 'hostile'), { recursive: true });
  });
});
