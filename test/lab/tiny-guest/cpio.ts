/** A file, folder or symbolic link of an archive; paths have no leading slash. */
export interface ArchiveEntry {
  readonly path: string;
  /** File type and permissions, as in `st_mode`. */
  readonly mode: number;
  readonly content: Buffer;
}

/** Writes a cpio archive in the "newc" format, which Linux reads as an initramfs. Everything belongs to root. */
export function cpio(entries: readonly ArchiveEntry[]): Buffer {
  const parts = entries.flatMap((entry, index) => record(entry, index + 1));
  return Buffer.concat([...parts, ...record({ path: 'TRAILER!!!', mode: 0, content: Buffer.alloc(0) }, 0)]);
}

function record(entry: ArchiveEntry, inode: number): Buffer[] {
  const name = Buffer.from(`${entry.path}\0`);
  const fields = [inode, entry.mode, 0, 0, 1, 0, entry.content.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return [header, name, padding(header.length + name.length), entry.content, padding(entry.content.length)];
}

const padding = (length: number) => Buffer.alloc((4 - (length % 4)) % 4);
