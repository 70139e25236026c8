import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { run } from '../run.ts';

/** What the tiny guest is made of, beside the kernel; the second half serves to build it. */
const PACKAGES = [
  ...['busybox-static', 'qemu-guest-agent', 'dropbear-bin', 'libc6', 'libcrypt1', 'libglib2.0-0', 'libgmp10'],
  ...['libnuma1', 'libpcre2-8-0', 'libtomcrypt1', 'libtommath1', 'libudev1', 'liburing2', 'zlib1g'],
  ...['grub-common', 'grub-pc-bin', 'libdevmapper1.02.1', 'liblzma5', 'libselinux1'],
] as const;

/** Debian's packages, unpacked into `folder`/tree; nothing is installed. Kept for the next time. */
export async function unpackPackages(folder: string): Promise<string> {
  const tree = `${folder}/tree`;
  if (await readdir(tree).catch(() => undefined)) return tree;
  const work = `${folder}/tree.part`;
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  const names = [...PACKAGES, await kernelPackage()];
  await rm(`${folder}/debs`, { recursive: true, force: true });
  await mkdir(`${folder}/debs`, { recursive: true });
  await download(names, `${folder}/debs`);
  for (const file of await readdir(`${folder}/debs`))
    await run('dpkg-deb', ['--extract', `${folder}/debs/${file}`, work], 120);
  await rm(`${folder}/debs`, { recursive: true });
  await rename(work, tree);
  return tree;
}

async function download(names: readonly string[], into: string): Promise<void> {
  await run('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', ...names], 300, into);
}

/** The package behind `linux-image-cloud-amd64`, such as `linux-image-6.1.0-56-cloud-amd64`. */
async function kernelPackage(): Promise<string> {
  const depends = await run('apt-cache', ['depends', '--important', 'linux-image-cloud-amd64']);
  const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
  if (!name) throw new Error('apt-cache knows no linux-image-cloud-amd64. Run: apt-get update');
  return name;
}
