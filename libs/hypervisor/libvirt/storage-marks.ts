const PREFIX = 'servery-mark-';

/** The name of the empty volume that is a mark in a disk pool. */
export function storageMarkName(mark: string): string {
  return `${PREFIX}${mark}`;
}

/** The mark that a volume of a disk pool is; undefined where it is none. */
export function storageMarkOf(volumeName: string): string | undefined {
  return volumeName.startsWith(PREFIX) ? volumeName.slice(PREFIX.length) : undefined;
}
