import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What no cook has used for so long Debian has mostly replaced meanwhile; the rest is downloaded anew if one does. */
const UNUSED_DAYS = 30;

/** Where packages are kept that were downloaded, in the cache of all cooks. */
export function archivesIn(cacheDir: string): string {
  return join(cacheDir, 'archives');
}

/**
 * Removes packages, and halves of them, that were neither downloaded nor used by a cook since. Needs the lock of cooks.
 *
 * A cook links the packages that it uses (`fetchPackages`), which the kernel notes as the time of their last change of
 * status: inode(7), ctime. Their other times are those of the mirror.
 * @returns how many
 */
export async function pruneArchives(cacheDir: string, since = daysAgo(UNUSED_DAYS)): Promise<number> {
  const archives = archivesIn(cacheDir);
  const entries = await readdir(archives, { recursive: true, withFileTypes: true }).catch(() => []);
  let removed = 0;
  for (const entry of entries) {
    // Beside them lie apt's own locks.
    if (!entry.isFile() || !entry.name.includes('.deb')) continue;
    const path = join(entry.parentPath, entry.name);
    if ((await stat(path)).ctime >= since) continue;
    await rm(path);
    removed += 1;
  }
  return removed;
}

function daysAgo(days: number): Date {
  return new Date(Date.now() - days * 86_400_000);
}
