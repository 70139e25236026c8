import type { ByteSource } from '../byte-source.ts';
import { liesWithin } from '../byte-source.ts';
import { diskError } from '../disk-files.errors.ts';

export interface TarMember {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
}

const BLOCK_BYTES = 512;
const MAX_MEMBERS = 64;
/** A name of a file in this folder; nothing that a file system, a shell or QEMU would read further meaning into. */
const SAFE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_. ()+-]{0,99}$/;

/**
 * The files of a tar archive, which must be plain: no links, devices, folders, sparse files or extended headers.
 * Nothing is unpacked.
 * @throws DomainError `archive_unsafe`
 */
export function readTar(source: ByteSource): TarMember[] {
  const members: TarMember[] = [];
  for (let at = 0; at + BLOCK_BYTES <= source.sizeBytes; ) {
    const header = source.read(at, BLOCK_BYTES);
    if (header.every((byte) => byte === 0)) break;
    const member = readMember(header, at + BLOCK_BYTES);
    if (!liesWithin(source.sizeBytes, member.offset, member.length))
      throw unsafe(`${member.name} is cut short`);
    if (members.some(({ name }) => name.toLowerCase() === member.name.toLowerCase()))
      throw unsafe(`${member.name} is there twice`);
    if (members.push(member) > MAX_MEMBERS) throw unsafe('it has too many files');
    at = member.offset + Math.ceil(member.length / BLOCK_BYTES) * BLOCK_BYTES;
  }
  return members;
}

function readMember(header: Buffer, offset: number): TarMember {
  const told = octal(header.subarray(148, 156));
  const sum = header.reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  if (told !== sum || header.toString('latin1', 257, 262) !== 'ustar')
    throw unsafe('a header of it is damaged');
  const type = String.fromCharCode(header[156] ?? 0);
  if (type !== '0' && type !== '\0') throw unsafe('it has links, devices, folders or extended headers');
  // Behind 345, POSIX has a prefix of the name; GNU has times and the map of a sparse file there.
  const prefixed = header[345] !== 0;
  const name = text(header.subarray(0, 100));
  if (prefixed || !SAFE_NAME.test(name))
    throw unsafe('it has names that lead out of it, or with unusual signs');
  return { name, offset, length: size(header.subarray(124, 136)) };
}

/** Octal digits, or for 8 GiB and more a binary number that begins with 0x80. */
function size(field: Buffer): number {
  if (field[0] !== 0x80) return octal(field);
  const value = field.readBigUInt64BE(4);
  if (field.subarray(1, 4).some((byte) => byte !== 0) || value > BigInt(Number.MAX_SAFE_INTEGER))
    throw unsafe('a size in it is absurd');
  return Number(value);
}

function octal(field: Buffer): number {
  const digits = /^ *([0-7]{1,12})[ \0]*$/.exec(field.toString('latin1'))?.[1];
  if (digits === undefined) throw unsafe('a number in it is none');
  return Number.parseInt(digits, 8);
}

function text(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end === -1 ? field.length : end);
}

function unsafe(what: string) {
  return diskError(
    'archive_unsafe',
    `The archive is not one to follow: ${what}. Pack it with tar --format=ustar, the .ovf file first.`,
  );
}
