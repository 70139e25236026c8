import { type ByteSource, MAX_READ_BYTES } from '../byte-source.ts';
import { malformed } from '../disk-files.errors.ts';

const SUPERBLOCK = 1024;
const MAGIC = 0xef53;
const EXTENT_MAGIC = 0xf30a;
/** Of the root folder, in every such file system. */
export const ROOT_INODE = 2;
const MODE_FORMAT = 0xf000;
const MODE_FOLDER = 0x4000;
const MODE_FILE = 0x8000;
const MODE_LINK = 0xa000;
const USES_EXTENTS = 0x8_0000;
const INLINE_LINK_BYTES = 60;
const INCOMPAT_META_BG = 0x10;
const INCOMPAT_64BIT = 0x80;
const INCOMPAT_INLINE_DATA = 0x8000;
/** File types in folders, extents, 64 bits, flexible groups, checksum seed, large folders; not: a journal to be replayed. */
const INCOMPAT_WRITABLE = 0x2 | 0x40 | INCOMPAT_64BIT | 0x200 | 0x2000 | 0x4000;
const STATE_CLEAN = 1;
const MOST_LINKS = 8;
const MOST_DEPTH = 5;
/** Of one file system, in all: what is crafted to lead round in circles ends there. */
const MOST_READS = 100_000;
/** Of a folder or a file that is looked into. */
const MOST_BLOCKS = 4096;
const DIRECT_BLOCKS = 12;

/** A name in a folder, and what it leads to. */
export interface Entry {
  readonly inode: number;
  readonly kind: 'folder' | 'file' | 'other';
  readonly sizeBytes: number;
}

interface Inode {
  readonly mode: number;
  readonly sizeBytes: number;
  readonly flags: number;
  readonly blocks: Buffer;
}

/** Reads names and small files of an ext2, ext3 or ext4 file system, and never more than some MiB. */
export class Ext4 {
  private readonly source: ByteSource;
  private readonly blockBytes: number;
  private readonly inodesPerGroup: number;
  private readonly inodeBytes: number;
  private readonly descriptorBytes: number;
  private readonly descriptors: number;
  /** Clean, and without what e2fsprogs of today might write wrongly. */
  readonly canBeWritten: boolean;

  private constructor(source: ByteSource, superblock: Buffer) {
    this.source = withMost(MOST_READS, source);
    this.blockBytes = 1024 << Math.min(6, superblock.readUInt32LE(0x18));
    this.inodesPerGroup = Math.max(1, superblock.readUInt32LE(0x28));
    this.inodeBytes = superblock.readUInt32LE(0x4c) === 0 ? 128 : superblock.readUInt16LE(0x58);
    const is64 = (superblock.readUInt32LE(0x60) & INCOMPAT_64BIT) !== 0;
    this.descriptorBytes = is64 ? Math.max(32, superblock.readUInt16LE(0xfe)) : 32;
    const incompatible = superblock.readUInt32LE(0x60);
    this.canBeWritten =
      (incompatible & ~INCOMPAT_WRITABLE) === 0 && superblock.readUInt16LE(0x3a) === STATE_CLEAN;
    this.descriptors = (superblock.readUInt32LE(0x14) + 1) * this.blockBytes;
  }

  /** Undefined where there is no such file system, or one that we do not know our way in. */
  static in(source: ByteSource): Ext4 | undefined {
    if (source.sizeBytes < SUPERBLOCK + 1024) return undefined;
    const superblock = source.read(SUPERBLOCK, 1024);
    if (superblock.readUInt16LE(0x38) !== MAGIC) return undefined;
    const unknown = INCOMPAT_META_BG | INCOMPAT_INLINE_DATA;
    if ((superblock.readUInt32LE(0x60) & unknown) !== 0) return undefined;
    return new Ext4(source, superblock);
  }

  /** What a folder has of a name, links not followed. */
  entry(folder: number, name: string): Entry | undefined {
    const number = this.entries(this.inode(folder)).get(name);
    if (number === undefined) return undefined;
    const inode = this.inode(number);
    const kind = isOf(inode, MODE_FOLDER) ? 'folder' : isOf(inode, MODE_FILE) ? 'file' : 'other';
    return { inode: number, kind, sizeBytes: inode.sizeBytes };
  }

  /** The first bytes of a file, by its inode. */
  bytesOf(inode: number, mostBytes: number): Buffer {
    return this.content(this.inode(inode), mostBytes);
  }

  exists(path: string): boolean {
    return this.resolve(path) !== undefined;
  }

  /** Names in a folder; none where it is none. */
  list(path: string): string[] {
    const inode = this.resolve(path);
    return inode && isOf(inode, MODE_FOLDER) ? [...this.entries(inode).keys()] : [];
  }

  /** The first MiB of a file; undefined where it is none. */
  text(path: string): string | undefined {
    const inode = this.resolve(path);
    if (!inode || !isOf(inode, MODE_FILE)) return undefined;
    return this.content(inode, MAX_READ_BYTES).toString('utf8');
  }

  /** Follows links, also absolute ones, which stay within. */
  private resolve(path: string): Inode | undefined {
    let rest = partsOf(path);
    let links = 0;
    const folders: Inode[] = [this.inode(ROOT_INODE)];
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
      if (name === '..') {
        if (folders.length > 1) folders.pop();
        continue;
      }
      const folder = folders.at(-1);
      if (!folder || !isOf(folder, MODE_FOLDER)) return undefined;
      const number = this.entries(folder).get(name);
      if (number === undefined) return undefined;
      const found = this.inode(number);
      if (!isOf(found, MODE_LINK)) {
        folders.push(found);
        continue;
      }
      if (++links > MOST_LINKS) return undefined;
      const target = this.linkOf(found);
      if (target.startsWith('/')) folders.splice(1);
      rest = [...partsOf(target), ...rest];
    }
    return folders.at(-1);
  }

  private linkOf(inode: Inode): string {
    if (inode.sizeBytes < INLINE_LINK_BYTES) return inode.blocks.toString('utf8', 0, inode.sizeBytes);
    return this.content(inode, 4096).toString('utf8');
  }

  private entries(folder: Inode): Map<string, number> {
    const found = new Map<string, number>();
    const bytes = this.content(folder, MOST_BLOCKS * this.blockBytes);
    for (let at = 0; at + 8 <= bytes.length; ) {
      const [inode, length, nameBytes] = [
        bytes.readUInt32LE(at),
        bytes.readUInt16LE(at + 4),
        bytes.readUInt8(at + 6),
      ];
      if (length < 8) break;
      if (inode !== 0) found.set(bytes.toString('utf8', at + 8, at + 8 + nameBytes), inode);
      at += length;
    }
    return found;
  }

  private inode(number: number): Inode {
    const group = Math.floor((number - 1) / this.inodesPerGroup);
    const descriptor = this.source.read(
      this.descriptors + group * this.descriptorBytes,
      this.descriptorBytes,
    );
    const high = this.descriptorBytes >= 64 ? descriptor.readUInt32LE(0x28) : 0;
    const table = (high * 2 ** 32 + descriptor.readUInt32LE(8)) * this.blockBytes;
    const bytes = this.source.read(table + ((number - 1) % this.inodesPerGroup) * this.inodeBytes, 128);
    return {
      mode: bytes.readUInt16LE(0),
      sizeBytes: bytes.readUInt32LE(0x6c) * 2 ** 32 + bytes.readUInt32LE(4),
      flags: bytes.readUInt32LE(0x20),
      blocks: bytes.subarray(0x28, 0x28 + 60),
    };
  }

  private content(inode: Inode, mostBytes: number): Buffer {
    const length = Math.min(inode.sizeBytes, mostBytes);
    const count = Math.min(MOST_BLOCKS, Math.ceil(length / this.blockBytes));
    const content = Buffer.alloc(count * this.blockBytes);
    for (const [logical, physical] of this.blocksOf(inode, count)) {
      this.source.read(physical * this.blockBytes, this.blockBytes).copy(content, logical * this.blockBytes);
    }
    return content.subarray(0, length);
  }

  /** Where the first blocks lie; what is not told of is a hole. */
  private blocksOf(inode: Inode, count: number): Map<number, number> {
    const found = new Map<number, number>();
    if ((inode.flags & USES_EXTENTS) !== 0) {
      this.extents(inode.blocks, count, MOST_DEPTH, found);
      return found;
    }
    const direct = Array.from({ length: DIRECT_BLOCKS }, (_, index) => inode.blocks.readUInt32LE(index * 4));
    const indirect = inode.blocks.readUInt32LE(DIRECT_BLOCKS * 4);
    if (indirect !== 0 && count > DIRECT_BLOCKS) {
      const table = this.source.read(indirect * this.blockBytes, this.blockBytes);
      for (let at = 0; at < table.length; at += 4) direct.push(table.readUInt32LE(at));
    }
    for (const [logical, physical] of direct.slice(0, count).entries()) {
      if (physical !== 0) found.set(logical, physical);
    }
    return found;
  }

  private extents(node: Buffer, count: number, depthLeft: number, found: Map<number, number>): void {
    if (depthLeft === 0 || node.length < 12 || node.readUInt16LE(0) !== EXTENT_MAGIC) return;
    const entries = Math.min(node.readUInt16LE(2), Math.floor(node.length / 12) - 1);
    const isLeaf = node.readUInt16LE(6) === 0;
    for (let index = 1; index <= entries; index++) {
      const entry = node.subarray(index * 12, index * 12 + 12);
      const logical = entry.readUInt32LE(0);
      if (logical >= count || found.size >= count) continue;
      if (isLeaf) {
        const start = entry.readUInt16LE(6) * 2 ** 32 + entry.readUInt32LE(8);
        const length = Math.min(entry.readUInt16LE(4), count - logical);
        for (let block = 0; block < length; block++) found.set(logical + block, start + block);
      } else {
        const child = entry.readUInt16LE(8) * 2 ** 32 + entry.readUInt32LE(4);
        this.extents(this.source.read(child * this.blockBytes, this.blockBytes), count, depthLeft - 1, found);
      }
    }
  }
}

/** The same bytes, which can be read so often. */
function withMost(reads: number, source: ByteSource): ByteSource {
  let left = reads;
  return {
    sizeBytes: source.sizeBytes,
    read(offset, length) {
      if (left-- === 0) throw malformed('The file system leads round in circles');
      return source.read(offset, length);
    },
  };
}

function isOf({ mode }: Inode, format: number): boolean {
  return (mode & MODE_FORMAT) === format;
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
