import { spawn } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BYTES_PER_GIB } from '#libs/kernel';
import { type Firmware, Guest } from '../../../test/catalog/guest.ts';
import { catalogDir, useAsClient } from '../../../test/catalog/use.ts';
import { loadRecipe } from '../recipe/load-recipe.ts';
import { cookImage } from './cook-image.ts';
import type { CookedImage } from './image-folder.ts';

const pathOf = (path: string) => new URL(path, import.meta.url).pathname;
/** Kept between runs for the sake of its downloaded packages; a stack under test uses the same images. */
const outputDir = process.env.SERVERY_IMAGES_DIR || pathOf('../../../.servery/test-images');

/** What a running system finds itself started by; the last byte of `SecureBoot` is 1 where signatures count (UEFI 2.10, 3.3). */
const FIRMWARE_SEEN = [
  'test -d /sys/firmware/efi || { echo bios; exit; }',
  'state=$(od -An -t u1 -j 4 /sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c)',
  'test $state = 1 && echo secure-boot || echo uefi',
].join('; ');

async function cook(name: string, force = false): Promise<CookedImage> {
  return cookImage({ recipe: await loadRecipe(catalogDir, name), outputDir, force });
}

const papersOf = (image: CookedImage) =>
  Promise.all([image.manifestPath, image.sbomPath].map((path) => readFile(path, 'utf8')));

/** Command lines of this machine's processes that speak of the folder of images. */
async function cooksAtWork(): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(outputDir));
}

describe('a cook', () => {
  it('makes the same disk of the same recipe and packages, upon a base that was kept and from nothing', async () => {
    await cook('debian-12');
    await rm(join(outputDir, 'web'), { recursive: true, force: true });
    const first = await cook('web');
    const papers = await papersOf(first);
    const second = await cook('web', true);
    expect(second.sha256).toBe(first.sha256);
    expect(await papersOf(second)).toEqual(papers);
  });

  it('is left out when neither has changed', async () => {
    expect(await cook('debian-12')).toMatchObject({ unchanged: true });
  });

  it('leaves no process, mount or half image when it is killed by force, and the former image stays', async () => {
    const before = await cook('debian-12');
    const child = spawn(
      process.execPath,
      ['--conditions=source', pathOf('./cook-once.fixture.ts'), catalogDir, 'debian-12', outputDir],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (text) => String(text).includes('install') && resolve());
    });
    await pause(5000);
    child.kill('SIGKILL');
    while ((await cooksAtWork()).length > 0) await pause(200);
    expect(await readFile('/proc/self/mounts', 'utf8')).not.toContain(outputDir);
    expect(await cook('debian-12')).toMatchObject({ unchanged: true, sha256: before.sha256 });
    expect((await readdir(outputDir)).filter((name) => name.startsWith('.cooking'))).toEqual([]);
  });
});

/**
 * Images share what starts them, so one shows BIOS and the UEFI that is hardest to please; with SERVERY_EVERY_START=1 all
 * show every firmware.
 */
const STARTS: readonly (readonly [image: string, firmware: Firmware])[] = process.env.SERVERY_EVERY_START
  ? ['debian-12', 'web'].flatMap((name) =>
      (['bios', 'uefi', 'secure-boot'] as const).map((firmware) => [name, firmware] as const),
    )
  : [
      ['debian-12', 'bios'],
      ['debian-12', 'secure-boot'],
      ['web', 'bios'],
    ];

it.concurrent.each(STARTS)(
  '%s starts by itself on %s and is what its owner ordered',
  async (name, firmware) => {
    const hostname = `${name}-${firmware}`;
    const recipe = await loadRecipe(catalogDir, name);
    const guest = await Guest.start(await cook(name), { firmware, hostname, ports: recipe.ports });
    try {
      expect(await guest.run('cloud-init status --wait > /dev/null; hostname')).toBe(hostname);
      expect(await guest.run('cloud-init status')).toBe('status: done');
      expect(
        await guest.run('systemctl is-system-running --wait; systemctl --failed --plain --no-legend'),
      ).toBe('running');
      expect(await guest.run(FIRMWARE_SEEN)).toBe(firmware);
      expect(await guest.run('wc --bytes < /etc/machine-id')).toBe('33');
      const rootBytes = Number(await guest.run('findmnt --noheadings --bytes --output SIZE /'));
      expect(rootBytes).toBeGreaterThan(5 * BYTES_PER_GIB);
      await expectAgent(guest);
      await useAsClient(guest, recipe);
    } finally {
      await guest.stop();
    }
  },
);

async function expectAgent(guest: Guest): Promise<void> {
  const needed = ['guest-ping', 'guest-set-user-password', 'guest-exec', 'guest-network-get-interfaces'];
  const info = (await guest.ask('guest-info')) as {
    supported_commands: { name: string; enabled: boolean }[];
  };
  const enabled = info.supported_commands.filter((command) => command.enabled).map((command) => command.name);
  expect(enabled).toEqual(expect.arrayContaining(needed));
}
