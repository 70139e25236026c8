/** Sizes that eleven octal digits cannot tell are written in base 256, as GNU tar, VirtualBox and VMware do. */
const OCTAL_LIMIT = 8 ** 11;
export const BLOCK_BYTES = 512;

export interface TarEntry {
  /** At most 100 bytes. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
}

/** The header of a plain file in an archive of POSIX.1-1988 ("ustar"), the one kind that an OVA may be. */
export function ustarHeader(entry: TarEntry): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  if (Buffer.byteLength(entry.name) > 100) throw new RangeError('a name in an archive has at most 100 bytes');
  header.write(entry.name, 0);
  octal(header, 100, 8, 0o644);
  octal(header, 108, 8, 0);
  octal(header, 116, 8, 0);
  writeSize(header, entry.sizeBytes);
  octal(header, 136, 12, entry.mtimeSeconds);
  header.fill(' ', 148, 156);
  header.write('0', 156);
  header.write('ustar\u000000', 257);
  header.write('root', 265);
  header.write('root', 297);
  octal(header, 329, 8, 0);
  octal(header, 337, 8, 0);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148);
  return header;
}

/** Zeros up to the next whole block. */
export function padding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

/** Two empty blocks end an archive. */
export const TAR_END = Buffer.alloc(2 * BLOCK_BYTES);

function octal(header: Buffer, offset: number, width: number, value: number): void {
  header.write(`${value.toString(8).padStart(width - 1, '0')}\u0000`, offset);
}

function writeSize(header: Buffer, sizeBytes: number): void {
  if (sizeBytes < OCTAL_LIMIT) {
    octal(header, 124, 12, sizeBytes);
    return;
  }
  header.writeUInt8(0x80, 124);
  header.writeBigUInt64BE(BigInt(sizeBytes), 128);
}
