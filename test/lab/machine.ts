import { access, constants } from 'node:fs/promises';
import { LabError } from './lab.errors.ts';

/** What the lab calls, with the Debian package that brings it. */
const PROGRAMS: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  'mkfs.ext4': 'e2fsprogs',
  virsh: 'libvirt-clients',
  libvirtd: 'libvirt-daemon-system',
  virtlogd: 'libvirt-daemon-system',
  ebtables: 'ebtables',
  'qemu-img': 'qemu-utils',
  'qemu-system-x86_64': 'qemu-system-x86',
};

/** @throws LabError `not_root` or `packages_missing`, with the command that helps */
export async function requireMachine(): Promise<void> {
  if (process.platform !== 'linux')
    throw new LabError('not_root', 'The lab needs Linux: it is made of namespaces.');
  if (process.getuid?.() !== 0) {
    throw new LabError(
      'not_root',
      'The lab makes network namespaces and runs libvirt, so it needs root. Run it again with sudo.',
    );
  }
  const missing = new Set<string>();
  for (const [program, debianPackage] of Object.entries(PROGRAMS))
    if (!(await isInstalled(program))) missing.add(debianPackage);
  if (missing.size === 0) return;
  throw new LabError(
    'packages_missing',
    `Missing on this machine. Run: apt-get install --no-install-recommends ${[...missing].sort().join(' ')}`,
  );
}

async function isInstalled(program: string): Promise<boolean> {
  const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/local/sbin', '/usr/local/bin'];
  const found = await Promise.all(
    folders.map((folder) =>
      access(`${folder}/${program}`, constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}
