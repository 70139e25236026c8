import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Firmware, Guest } from '../../../test/catalog/guest.ts';
import { loadRecipe } from '../recipe/load-recipe.ts';
import { cookImage } from './cook-image.ts';
import type { CookedImage } from './image-folder.ts';
import { runTool } from './run-tool.ts';

const pathOf = (path: string) => new URL(path, import.meta.url).pathname;
const outputDir = process.env.SERVERY_IMAGES_DIR || pathOf('../../../.servery/test-images');

const TOOLS =
  'parted sgdisk mkfs.vfat mkfs.xfs mkfs.btrfs e2fsck lvm cryptsetup efibootmgr rsync ddrescue ssh';

let image: CookedImage;
let folder: string;
let ownDisk: string;
const digest = async () =>
  createHash('sha256')
    .update(await readFile(ownDisk))
    .digest('hex');

beforeAll(async () => {
  image = await cookImage({ recipe: await loadRecipe(pathOf('../../../catalog'), 'rescue'), outputDir });
  folder = await mkdtemp(join(tmpdir(), 'rescue-'));
  ownDisk = join(folder, 'own.img');
  await mkdir(join(folder, 'content'));
  await writeFile(join(folder, 'content/kept'), 'precious');
  const made = ['mke2fs', '-q', '-t', 'ext4', '-d', join(folder, 'content'), ownDisk, '64M'] as const;
  await runTool([...made], { timeoutSeconds: 60 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** By the other firmware as well with SERVERY_EVERY_START=1. */
const FIRMWARE: readonly Firmware[] = process.env.SERVERY_EVERY_START ? ['bios', 'uefi'] : ['bios'];

it.each<Firmware>(FIRMWARE)(
  "starts on %s beside a server's own disk, which is the first one and as it was",
  async (firmware) => {
    const before = await digest();
    const guest = await Guest.start(image, { firmware, hostname: 'rescue', ownDisk });
    try {
      expect(await guest.run('cloud-init status --wait > /dev/null; hostname')).toBe('rescue');
      expect(await guest.run('findmnt -no SOURCE /')).toBe('/dev/vdb3');
      const state = 'systemctl is-system-running --wait; systemctl --failed --plain --no-legend';
      expect(await guest.run(state)).toBe('running');
      expect(
        await guest.run(`for tool in ${TOOLS}; do command -v $tool >/dev/null || echo $tool; done`),
      ).toBe('');
      expect(await guest.run('lvmconfig activation/auto_activation_volume_list')).toBe(
        'auto_activation_volume_list=[]',
      );
      expect(await guest.run('cat /etc/motd')).toContain('rescue system');
      expect(await digest()).toBe(before);
      expect(await guest.run('mount -o ro /dev/vda /mnt && cat /mnt/kept')).toBe('precious');
    } finally {
      await guest.stop();
    }
  },
);
