import type { ByteSource } from '../byte-source.ts';
import { headOf } from '../byte-source.ts';
import type { DiskFormat } from '../disk-facts.ts';

/** What a file's bytes make programs believe it is, wherever those bytes stand. */
export interface Recognised {
  readonly format: DiskFormat | null;
  readonly name: string;
  /** Packed as a whole: it must be unpacked before it is uploaded. */
  readonly packed?: true;
}

interface Magic extends Recognised {
  readonly at: number;
  readonly bytes: Buffer;
}

const HEAD_BYTES = 1024;
const TRAILER_BYTES = 512;

const magic = (
  format: DiskFormat | null,
  name: string,
  bytes: string | readonly number[],
  at = 0,
  packed?: true,
): Magic => ({ format, name, at, bytes: Buffer.from(bytes as string, 'latin1'), ...(packed && { packed }) });

const HEADS: readonly Magic[] = [
  magic('qcow2', 'qcow2', 'QFI\xfb'),
  magic('vmdk', 'VMDK', 'KDMV'),
  magic('vmdk', 'VMDK (COWD)', 'COWD'),
  magic('vhd', 'VHD', 'conectix'),
  magic('vhdx', 'VHDX', 'vhdxfile'),
  magic('vdi', 'VDI', [0x7f, 0x10, 0xda, 0xbe], 0x40),
  magic('ova', 'a tar archive (OVA?)', 'ustar', 257),
  magic(null, 'LUKS', 'LUKS\xba\xbe'),
  magic(null, 'QED', 'QED\0'),
  magic(null, 'Parallels', 'WithoutFreeSpace'),
  magic(null, 'Parallels', 'WithouFreSpacExt'),
  magic(null, 'Bochs', 'Bochs Virtual HD Image'),
  magic(null, 'a script (cloop?)', '#!'),
  magic(null, 'gzip', [0x1f, 0x8b], 0, true),
  magic(null, 'zip', 'PK\x03\x04', 0, true),
  magic(null, 'zip', 'PK\x05\x06', 0, true),
  magic(null, 'zstd', [0x28, 0xb5, 0x2f, 0xfd], 0, true),
  magic(null, 'xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], 0, true),
  magic(null, 'bzip2', 'BZh', 0, true),
  magic(null, '7z', [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], 0, true),
  magic(null, 'lz4', [0x04, 0x22, 0x4d, 0x18], 0, true),
];

/** Formats that are known by their last sector. */
const TRAILERS: readonly Magic[] = [magic('vhd', 'VHD', 'conectix'), magic(null, 'DMG', 'koly')];

/** Text is where VMDK descriptors begin; QEMU skips comments and empty lines before `version=`. */
const TEXT = /^(?:[ \t\r\n]*(?:#[^\n]*)?\n)*[ \t]*(?:# ?Disk ?DescriptorFile|version[ \t]*=)/i;

/** What the file would be taken for by a program that guesses, null where by none that we know. */
export function recognise(source: ByteSource): Recognised | null {
  const head = headOf(source, HEAD_BYTES);
  const found = HEADS.find(({ at, bytes }) => head.subarray(at, at + bytes.length).equals(bytes));
  if (found) return found;
  if (TEXT.test(head.toString('latin1'))) return { format: 'vmdk', name: 'a VMDK descriptor' };
  if (source.sizeBytes < TRAILER_BYTES) return null;
  const tail = source.read(source.sizeBytes - TRAILER_BYTES, TRAILER_BYTES);
  return TRAILERS.find(({ bytes }) => tail.subarray(0, bytes.length).equals(bytes)) ?? null;
}
