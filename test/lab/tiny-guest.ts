import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from './lock.ts';
import { run } from './run.ts';
import { bootDisk, bootScript, type DiskPlan, planDisk, SECTOR_BYTES } from './tiny-guest/boot-disk.ts';
import { initramfs } from './tiny-guest/initramfs.ts';
import { unpackPackages } from './tiny-guest/packages.ts';

/** A disk image on this machine, as the image pool takes it. */
export interface TinyGuest {
  readonly path: string;
  readonly format: 'qcow2';
  readonly sha256: string;
  readonly virtualSizeBytes: number;
}

/** What the guest keeps over a reboot: its address, keys and passwords. */
const STATE_BYTES = 256 * 1024;

/**
 * Makes (or finds, made before) a whole disk that boots by itself on BIOS in a few seconds even under
 * emulation: Debian's cloud kernel, busybox, the QEMU guest agent, dropbear, a web page with its name on
 * port 80. It reads a NoCloud seed: host name, static address, root's SSH keys, SSH host key, password; and
 * keeps that over reboots without the seed. It stands in for a golden image where tests need many boots.
 * Takes about 15 s the first time (Debian's packages are fetched into `folder`), then none.
 */
export async function buildTinyGuest(folder: string): Promise<TinyGuest> {
  const absolute = resolve(folder);
  return withLock(`${absolute}/tiny-guest`, () => build(absolute));
}

async function build(folder: string): Promise<TinyGuest> {
  const path = `${folder}/tiny-${await sourceDigest()}.qcow2`;
  const virtualSizeFile = `${path}.size`;
  if (!(await stat(path).catch(() => undefined))) {
    await mkdir(folder, { recursive: true });
    const disk = await makeDisk(folder, await unpackPackages(folder));
    await writeFile(virtualSizeFile, String(disk.length));
    await writeFile(`${path}.raw`, disk);
    await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', `${path}.raw`, `${path}.part`], 60);
    await rm(`${path}.raw`);
    await rename(`${path}.part`, path);
  }
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  return { path, format: 'qcow2', sha256, virtualSizeBytes: Number(await readFile(virtualSizeFile, 'utf8')) };
}

async function makeDisk(folder: string, tree: string): Promise<Buffer> {
  const [kernelName] = (await readdir(`${tree}/boot`)).filter((name) => name.startsWith('vmlinuz-'));
  const kernel = await readFile(`${tree}/boot/${kernelName}`);
  // The state's place follows from the size of the initramfs, which names that place: measure, then write.
  const draft = await initramfs(tree, { STATE_SECTOR: 0, STATE_SECTORS: 0 });
  const plan = planDisk(kernel.length, draft.length + SECTOR_BYTES, STATE_BYTES);
  const initrd = await initramfs(tree, { STATE_SECTOR: plan.state.start, STATE_SECTORS: plan.state.count });
  const boot = await readFile(`${tree}/usr/lib/grub/i386-pc/boot.img`);
  return bootDisk(plan, { boot, core: await grubCore(folder, tree, plan), kernel, initrd });
}

async function grubCore(folder: string, tree: string, plan: DiskPlan): Promise<Buffer> {
  await writeFile(`${tree}/boot/script`, bootScript(plan));
  const output = ['--output', '/boot/core.img', '--config', '/boot/script', '--prefix', '/'];
  await run(
    'chroot',
    [tree, 'grub-mkimage', '--format', 'i386-pc', ...output, 'biosdisk', 'linux', 'boot'],
    60,
    folder,
  );
  return readFile(`${tree}/boot/core.img`);
}

/** Short digest of all that the guest is built from here, so that a change makes a new image. */
async function sourceDigest(): Promise<string> {
  const digest = createHash('sha256').update(await readFile(fileURLToPath(import.meta.url)));
  const sources = fileURLToPath(new URL('tiny-guest', import.meta.url));
  const entries = await readdir(sources, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name}`);
  for (const file of files.sort()) digest.update(await readFile(file));
  return digest.digest('hex').slice(0, 12);
}
