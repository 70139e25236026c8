import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { cookError } from './cook.errors.ts';

/** Every tool that a cook calls on this machine, and the Debian package that brings it. */
const tools: Readonly<Record<string, string>> = {
  'apt-get': 'apt',
  mmdebstrap: 'mmdebstrap',
  sfdisk: 'fdisk',
  mke2fs: 'e2fsprogs',
  debugfs: 'e2fsprogs',
  'mkfs.vfat': 'dosfstools',
  mcopy: 'mtools',
  'qemu-img': 'qemu-utils',
  unshare: 'util-linux',
  setpriv: 'util-linux',
  flock: 'util-linux',
};

const KEYRING_PACKAGE = 'debian-archive-keyring';

/** Debian packages that a machine needs to cook images. */
export const requiredDebianPackages: readonly string[] = [
  ...new Set([...Object.values(tools), KEYRING_PACKAGE]),
].sort();

/** @throws DomainError `cook_needs_root`, `cook_tools_missing` with the packages to install */
export async function checkMachine(): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw cookError(
      'cook_needs_root',
      "Cooking an image needs root, because the image's files have owners of their own. Run it with sudo.",
    );
  }
  const folders = ['/usr/sbin', '/sbin', ...(process.env.PATH ?? '').split(delimiter)];
  const missing = new Set<string>();
  for (const [tool, debianPackage] of Object.entries(tools)) {
    const found = await Promise.any(folders.map((folder) => access(join(folder, tool)))).then(
      () => true,
      () => false,
    );
    if (!found) missing.add(debianPackage);
  }
  if (missing.size === 0) return;
  throw cookError(
    'cook_tools_missing',
    `Install what the cook needs: apt-get install ${[...missing].join(' ')}`,
    {
      details: { packages: [...missing] },
    },
  );
}
