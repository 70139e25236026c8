import type { SeedFile } from '../seed-documents.ts';

const SECTOR_BYTES = 2048;
/** The first 16 sectors belong to the system; then the descriptors, path tables, directory, files. */
const PRIMARY = 16;
const TERMINATOR = 17;
const PATH_TABLE_LITTLE = 18;
const PATH_TABLE_BIG = 19;
const ROOT_DIRECTORY = 20;
const FIRST_FILE = 21;
const PATH_TABLE_BYTES = 10;
/** Padding to 512 KiB: busybox' volume probe passes over disks smaller than the 68 KiB that it reads. */
const LEAST_SECTORS = 256;

/**
 * A NoCloud seed as an ISO 9660 image (ECMA-119) with Rock Ridge names (IEEE P1282), label CIDATA. Written in
 * memory, so that no secret touches this machine's disk, and without root, mounts or other tools.
 */
export function seedIso(files: readonly SeedFile[]): Buffer {
  const contents = files.map((file) => Buffer.from(file.content, 'utf8'));
  const starts: number[] = [];
  let next = FIRST_FILE;
  for (const content of contents) {
    starts.push(next);
    next += Math.ceil(content.length / SECTOR_BYTES);
  }
  const sectors = Math.max(next, LEAST_SECTORS);
  const image = Buffer.alloc(sectors * SECTOR_BYTES);
  const at = (sector: number) => image.subarray(sector * SECTOR_BYTES);

  primaryDescriptor(at(PRIMARY), sectors);
  at(TERMINATOR).set([255, ...Buffer.from('CD001'), 1]);
  pathTable(at(PATH_TABLE_LITTLE), 'little');
  pathTable(at(PATH_TABLE_BIG), 'big');
  const records = [
    directoryRecord({ identifier: '\0', sector: ROOT_DIRECTORY, bytes: SECTOR_BYTES, kind: 'root' }),
    directoryRecord({ identifier: '\x01', sector: ROOT_DIRECTORY, bytes: SECTOR_BYTES, kind: 'parent' }),
    ...files.map((file, index) =>
      directoryRecord({
        identifier: `FILE${index}.;1`,
        sector: starts[index] ?? 0,
        bytes: contents[index]?.length ?? 0,
        kind: 'file',
        name: file.name,
      }),
    ),
  ];
  Buffer.concat(records).copy(at(ROOT_DIRECTORY));
  for (const [index, content] of contents.entries()) content.copy(at(starts[index] ?? 0));
  return image;
}

function primaryDescriptor(into: Buffer, sectors: number): void {
  into.fill(' ', 8, 72);
  into.fill(' ', 190, 813);
  into.set([1, ...Buffer.from('CD001'), 1]);
  into.write('LINUX', 8, 'ascii');
  into.write('CIDATA', 40, 'ascii');
  both32(into, 80, sectors);
  both16(into, 120, 1);
  both16(into, 124, 1);
  both16(into, 128, SECTOR_BYTES);
  both32(into, 132, PATH_TABLE_BYTES);
  into.writeUInt32LE(PATH_TABLE_LITTLE, 140);
  into.writeUInt32BE(PATH_TABLE_BIG, 148);
  directoryRecord({ identifier: '\0', sector: ROOT_DIRECTORY, bytes: SECTOR_BYTES, kind: 'bare' }).copy(
    into,
    156,
  );
  for (const offset of [813, 830, 847, 864]) into.write('0000000000000000\0', offset, 'binary');
  into.writeUInt8(1, 881);
}

/** One entry: the root directory, named by a zero byte, its own parent. */
function pathTable(into: Buffer, endian: 'little' | 'big'): void {
  into.writeUInt8(1, 0);
  if (endian === 'little') into.writeUInt32LE(ROOT_DIRECTORY, 2);
  else into.writeUInt32BE(ROOT_DIRECTORY, 2);
  if (endian === 'little') into.writeUInt16LE(1, 6);
  else into.writeUInt16BE(1, 6);
}

interface DirectoryEntry {
  readonly identifier: string;
  readonly sector: number;
  readonly bytes: number;
  readonly kind: 'bare' | 'root' | 'parent' | 'file';
  readonly name?: string;
}

function directoryRecord(entry: DirectoryEntry): Buffer {
  const nameEnd = 33 + entry.identifier.length;
  const fixed = Buffer.alloc(nameEnd + (nameEnd % 2));
  both32(fixed, 2, entry.sector);
  both32(fixed, 10, entry.bytes);
  fixed.set([70, 1, 1, 0, 0, 0, 0], 18);
  fixed.writeUInt8(entry.kind === 'file' ? 0 : 2, 25);
  both16(fixed, 28, 1);
  fixed.writeUInt8(entry.identifier.length, 32);
  fixed.write(entry.identifier, 33, 'binary');
  const record = Buffer.concat([fixed, systemUse(entry)]);
  record.writeUInt8(record.length, 0);
  return record;
}

/** Rock Ridge: `SP` and `ER` announce it in the root's own record, `PX` gives modes, `NM` the real name. */
function systemUse(entry: DirectoryEntry): Buffer {
  if (entry.kind === 'bare') return Buffer.alloc(0);
  const parts = [posixAttributes(entry.kind === 'file')];
  if (entry.kind === 'root') {
    parts.unshift(Buffer.from([0x53, 0x50, 7, 1, 0xbe, 0xef, 0]));
    const id = Buffer.from('RRIP_1991A');
    parts.push(Buffer.concat([Buffer.from([0x45, 0x52, 8 + id.length, 1, id.length, 0, 0, 1]), id]));
  }
  if (entry.name !== undefined) {
    const name = Buffer.from(entry.name, 'ascii');
    parts.push(Buffer.concat([Buffer.from([0x4e, 0x4d, 5 + name.length, 1, 0]), name]));
  }
  const all = Buffer.concat(parts);
  return all.length % 2 === 0 ? all : Buffer.concat([all, Buffer.alloc(1)]);
}

function posixAttributes(isFile: boolean): Buffer {
  const field = Buffer.alloc(36);
  field.set([0x50, 0x58, 36, 1]);
  both32(field, 4, isFile ? 0o100400 : 0o040500);
  both32(field, 12, isFile ? 1 : 2);
  return field;
}

/** ECMA-119 writes numbers twice, in either byte order. */
function both32(into: Buffer, offset: number, value: number): void {
  into.writeUInt32LE(value, offset);
  into.writeUInt32BE(value, offset + 4);
}

function both16(into: Buffer, offset: number, value: number): void {
  into.writeUInt16LE(value, offset);
  into.writeUInt16BE(value, offset + 2);
}
