import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownCode, ownProgram } from '#libs/confinement';
import { Guest } from '../../../../test/catalog/guest.ts';
import { catalogDir } from '../../../../test/catalog/use.ts';
import { loadRecipe } from '../../recipe/load-recipe.ts';
import { cookImage } from '../cook-image.ts';
import type { CookLimits } from '../limits.ts';
import { runTool } from '../run-tool.ts';
import type { WallEnd } from './order.ts';

const outputDir =
  process.env.SERVERY_IMAGES_DIR || new URL('../../../../.servery/test-images', import.meta.url).pathname;

/** Where the guest sees a disk with our code, Node and bubblewrap. */
const AT = '/media';

let folder: string;
let guest: Guest;
beforeAll(async () => {
  const image = await cookImage({ recipe: await loadRecipe(catalogDir, 'debian-12'), outputDir });
  folder = await mkdtemp(join(tmpdir(), 'control-group-'));
  const tree = join(folder, 'tree');
  const programs = [process.execPath, '/usr/bin/bwrap'].map((from) => ({
    from,
    at: `/bin/${from.split('/').at(-1)}`,
  }));
  for (const { from, at } of [
    ...ownCode(['libs/images/cook', 'libs/kernel', 'libs/confinement'], '/'),
    ...programs,
  ]) {
    await mkdir(dirname(join(tree, at)), { recursive: true });
    await cp(from, join(tree, at), { recursive: true });
  }
  const ownDisk = join(folder, 'own.img');
  await runTool(['mke2fs', '-q', '-t', 'ext4', '-d', tree, ownDisk, '300M']);
  guest = await Guest.start(image, { hostname: 'builder', ownDisk });
  await guest.must(`mount /dev/vda ${AT} && cp ${AT}/bin/bwrap /usr/local/bin/`);
});
afterAll(async () => {
  await guest?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function run(script: string, limits: Partial<CookLimits> = {}): Promise<WallEnd & { text: string }> {
  const words = [
    `${AT}/bin/node`,
    ...ownProgram('libs/images/cook/wall/run-script.fixture', AT),
    script,
    JSON.stringify(limits),
  ];
  const quoted = words.map((word) => `'${word.replaceAll("'", `'"'"'`)}'`);
  return JSON.parse(await guest.must(quoted.join(' ')));
}

describe('on a machine with control groups (version 2) and systemd', () => {
  it('the wall stands, and its processes are in a group that is gone afterwards', async () => {
    expect(await run('cat /proc/self/cgroup; echo done')).toMatchObject({ exitCode: 0, text: '0::/\ndone' });
    expect(await guest.run("find /sys/fs/cgroup -name 'servery-cook-*'")).toBe('');
  });

  it('memory is bounded that no process has mapped, which no watch sees', async () => {
    const hidden = `perl -e '$name = "x"; $fd = syscall(319, $name, 0); open(F, ">&=", $fd); $x = "x" x 4_000_000; for (1..200) { syswrite F, $x } print "unbounded\\n"'`;
    expect(await run(hidden, { memoryMib: 128, wallSeconds: 600 })).toMatchObject({
      stoppedBy: 'memory',
      text: '',
    });
  });

  it('the number of processes is bounded by the group as well', async () => {
    const end = await run("perl -e 'fork while 1'", { processes: 32, wallSeconds: 600 });
    expect(end.stoppedBy).toBe('processes');
    expect(await guest.run("find /sys/fs/cgroup -name 'servery-cook-*'")).toBe('');
  });
});
