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
  bwrap: 'bubblewrap',
  mount: 'mount',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  prlimit: 'util-linux',
  choom: 'util-linux',
  setpriv: 'util-linux',
  flock: 'util-linux',
};

/** What a cook without root needs as well: it hands out the ids of /etc/subuid. */
const rootlessTools: Readonly<Record<string, string>> = { newuidmap: 'uidmap', newgidmap: 'uidmap' };

const KEYRING_PACKAGE = 'debian-archive-keyring';

/** Debian packages that a machine needs to cook images. */
export const requiredDebianPackages: readonly string[] = [
  ...new Set([...Object.values(tools), ...Object.values(rootlessTools), KEYRING_PACKAGE]),
].sort();

/** @throws DomainError `cook_wall_unavailable`, `cook_tools_missing` with the packages to install */
export async function checkMachine(): Promise<void> {
  if (process.arch !== 'x64') {
    throw cookError(
      'cook_wall_unavailable',
      'Images are for amd64, and are cooked on a machine of that kind.',
    );
  }
  const needed = process.getuid?.() === 0 ? tools : { ...tools, ...rootlessTools };
  const folders = ['/usr/sbin', '/sbin', ...(process.env.PATH ?? '').split(delimiter)];
  const missing = new Set<string>();
  for (const [tool, debianPackage] of Object.entries(needed)) {
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
