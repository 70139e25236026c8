/** Where a recipe's own part lies in its image. */
export const FIRST_BOOT = {
  unit: 'servery-first-boot.service',
  unitPath: '/etc/systemd/system/servery-first-boot.service',
  scriptPath: '/usr/lib/servery/first-boot',
  /** There once the script has ended well. */
  donePath: '/var/lib/servery/first-boot.done',
} as const;

/** What is not the image's: it belongs to the running system, or the cook makes it, or empties it, at the end. */
const TAKEN: readonly (readonly [folder: string, why: string])[] = [
  ['/proc', 'belongs to the running system'],
  ['/sys', 'belongs to the running system'],
  ['/dev', 'belongs to the running system'],
  ['/run', 'belongs to the running system: it is empty at each boot'],
  ['/var/run', 'is /run: it is empty at each boot'],
  ['/var/lock', 'is /run/lock: it is empty at each boot'],
  ['/tmp', 'is empty in an image'],
  ['/var/tmp', 'is empty in an image'],
  ['/var/cache/apt', 'is empty in an image'],
  ['/boot', 'is the boot loader’s'],
  ['/etc/grub.d', 'is the boot loader’s'],
  ['/etc/default/grub.d', 'is the boot loader’s'],
  ['/var/lib/dpkg', 'is the package manager’s: name packages'],
  ['/var/lib/apt', 'is the package manager’s: name packages'],
  ['/var/lib/cloud', 'is made by each server for itself'],
  ['/etc/machine-id', 'is made by each server for itself'],
  ['/etc/hostname', 'is made by each server for itself'],
  ['/etc/hosts', 'is made by each server for itself'],
  ['/etc/fstab', 'is made with the disk'],
  ['/etc/apt/sources.list', 'is where its packages come from: add a file to /etc/apt/sources.list.d'],
  ['/etc/servery', 'is where each server gets its secrets'],
  ['/usr/lib/servery', 'is Servery’s'],
  ['/var/lib/servery', 'is Servery’s'],
  [FIRST_BOOT.unitPath, 'is Servery’s'],
  [`${FIRST_BOOT.unitPath}.d`, 'is Servery’s'],
];

/** Why a recipe cannot have a file at this path; undefined where it can. */
export function whyNotAt(path: string): string | undefined {
  if (/^\/etc\/ssh\/ssh_host_[^/]*$/.test(path)) return 'is made by each server for itself';
  return TAKEN.find(([folder]) => path === folder || path.startsWith(`${folder}/`))?.[1];
}
