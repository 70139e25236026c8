import { matchesGlob } from 'node:path';
import { FIRST_BOOT_UNIT } from '#libs/contracts';
import { CLEARED } from '#libs/images/recipe';

/** Where a recipe's own part lies in its image. */
export const FIRST_BOOT = {
  unit: FIRST_BOOT_UNIT,
  unitPath: `/etc/systemd/system/${FIRST_BOOT_UNIT}`,
  scriptPath: '/usr/lib/servery/first-boot',
  /** There once the script has ended well. */
  donePath: '/var/lib/servery/first-boot.done',
} as const;

/** Links at the root of Debian and in its /var: what is written below one of them lies where it leads. */
const LINKS: readonly (readonly [link: string, to: string])[] = [
  ...['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'].map((name) => [`/${name}`, `/usr/${name}`] as const),
  ['/var/run', '/run'],
  ['/var/lock', '/run/lock'],
];

/** What is not the image's: it belongs to the running system, or the cook makes it. */
const TAKEN: readonly (readonly [folder: string, why: string])[] = [
  ['/proc', 'belongs to the running system'],
  ['/sys', 'belongs to the running system'],
  ['/dev', 'belongs to the running system'],
  ['/run', 'belongs to the running system: it is empty at each boot'],
  ['/boot', 'is the boot loader’s'],
  ['/etc/grub.d', 'is the boot loader’s'],
  ['/etc/default/grub.d', 'is the boot loader’s'],
  ['/var/lib/dpkg', 'is the package manager’s: name packages'],
  ['/var/lib/apt', 'is the package manager’s: name packages'],
  ['/etc/machine-id', 'is made by each server for itself'],
  ['/etc/hosts', 'is made by each server for itself'],
  ['/etc/fstab', 'is made with the disk'],
  ['/etc/apt/sources.list', 'is where its packages come from: add a file to /etc/apt/sources.list.d'],
  ['/etc/servery', 'is where each server gets its secrets'],
  ['/usr/lib/servery', 'is Servery’s'],
  ['/var/lib/servery', 'is Servery’s'],
  [FIRST_BOOT.unitPath, 'is Servery’s'],
  [`${FIRST_BOOT.unitPath}.d`, 'is Servery’s'],
];

/** Where in an image a file of this path lies. */
export function placeOf(path: string): string {
  const link = LINKS.find(([from]) => isIn(from, path));
  return link ? `${link[1]}${path.slice(link[0].length)}` : path;
}

/** Why a recipe whose base and components remove these paths cannot have a file at this one; undefined where it can. */
export function whyNotAt(path: string, removed: readonly string[] = []): string | undefined {
  const link = LINKS.find(([from]) => from === path);
  if (link) return `is a link to ${link[1]}`;
  const place = placeOf(path);
  const taken = TAKEN.find(([folder]) => isIn(folder, place));
  if (taken) return taken[1];
  if (isCleared(place))
    return 'would not stay: each cook clears it at its end, for servers to make their own';
  const gone = removed.find((folder) => isIn(placeOf(folder), place));
  return gone === undefined
    ? undefined
    : `would not stay: base or components remove ${gone}, for servers to make their own`;
}

/** Whether the end of a cook would take it away. */
function isCleared(place: string): boolean {
  const names = place.slice(1).split('/');
  const above = names.map((_, index) => names.slice(0, index + 1).join('/'));
  return (
    [...CLEARED.emptied, ...CLEARED.withoutFiles].some((folder) => isIn(`/${folder}`, place)) ||
    CLEARED.patterns.some((pattern) => above.some((path) => matchesGlob(path, pattern)))
  );
}

function isIn(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
