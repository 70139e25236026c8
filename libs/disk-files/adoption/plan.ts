import type { ByteSource } from '../byte-source.ts';
import { diskError } from '../disk-files.errors.ts';
import { type Ext4, ROOT_INODE } from '../guest/ext4.ts';
import { findGuest, findRoot } from '../guest/find-guest.ts';
import { FIRST_BOOT } from './first-boot.ts';

/** Where in a system's root keys belong, by numbers of inodes, so that no name leads anywhere else; null: to be made. */
export interface AdoptionPlan {
  /** Of the file system on its disk. */
  readonly startBytes: number;
  readonly home: number;
  readonly sshFolder: number | null;
  /** As latin1, whatever it is. */
  readonly authorizedKeys: string | null;
  /** Null: the system needs no help at its first boot, or has none that we know how to give. */
  readonly firstBoot: FirstBootPlan | null;
}

export interface FirstBootPlan {
  readonly etc: number;
  readonly folder: number | null;
  readonly script: string | null;
  readonly units: number;
  readonly unit: string | null;
  readonly wants: number | null;
  readonly isWanted: boolean;
}

const MOST_KEYS_BYTES = 64 * 1024;
const SYSTEMD = ['/usr/lib/systemd/systemd', '/lib/systemd/systemd'];

/**
 * Looks where an owner's keys would go in the system on a disk.
 * @throws DomainError `disk_system_unknown`, `disk_system_unclean`, `disk_system_refused`
 */
export function planAdoption(disk: ByteSource): AdoptionPlan {
  const root = findRoot(disk);
  if (!root) {
    throw diskError(
      'disk_system_unknown',
      'No keys can be put into this disk: no Linux system on ext2, ext3 or ext4 was found in it. Import it without ssh_keys.',
    );
  }
  const { files, startBytes } = root;
  if (!files.canBeWritten) {
    throw diskError(
      'disk_system_unclean',
      'No keys can be put into this disk: its file system was not shut down cleanly, or has features that are not known here. Start it once more, shut it down, and import it again; or import it without ssh_keys.',
    );
  }
  const home = folderIn(files, ROOT_INODE, 'root') ?? refuse('/root');
  const sshFolder = folderIn(files, home, '.ssh');
  const authorizedKeys = sshFolder === null ? null : textIn(files, sshFolder, 'authorized_keys');
  const needsHelp = !findGuest(disk)?.hasCloudInit && SYSTEMD.some((path) => files.exists(path));
  return { startBytes, home, sshFolder, authorizedKeys, firstBoot: needsHelp ? firstBootIn(files) : null };
}

function firstBootIn(files: Ext4): FirstBootPlan {
  const etc = folderIn(files, ROOT_INODE, 'etc') ?? refuse('/etc');
  const systemd = folderIn(files, etc, 'systemd') ?? refuse('/etc/systemd');
  const units = folderIn(files, systemd, 'system') ?? refuse('/etc/systemd/system');
  const folder = folderIn(files, etc, FIRST_BOOT.folder);
  const wants = folderIn(files, units, 'multi-user.target.wants');
  return {
    etc,
    folder,
    script: folder === null ? null : textIn(files, folder, FIRST_BOOT.script),
    units,
    unit: textIn(files, units, FIRST_BOOT.unit),
    wants,
    isWanted: wants !== null && files.entry(wants, FIRST_BOOT.unit) !== undefined,
  };
}

/** Null where there is nothing of the name; anything but a folder is refused, a link above all. */
function folderIn(files: Ext4, parent: number, name: string): number | null {
  const entry = files.entry(parent, name);
  if (entry && entry.kind !== 'folder') refuse(name);
  return entry?.inode ?? null;
}

function textIn(files: Ext4, parent: number, name: string): string | null {
  const entry = files.entry(parent, name);
  if (!entry) return null;
  if (entry.kind !== 'file' || entry.sizeBytes > MOST_KEYS_BYTES) refuse(name);
  return files.bytesOf(entry.inode, MOST_KEYS_BYTES).toString('latin1');
}

function refuse(what: string): never {
  throw diskError(
    'disk_system_refused',
    `No keys can be put into this disk: ${what} is missing there, a link, or not what it should be. Import it without ssh_keys.`,
  );
}
