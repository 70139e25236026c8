import { type ByteSource, isPowerOfTwo } from '../byte-source.ts';

const ENTRY_BYTES = 32;
const ATTRIBUTE_VOLUME = 0x08;
const ATTRIBUTE_FOLDER = 0x10;
const END_OF_FOLDER = 0x00;
const DELETED = 0xe5;
/** Of a folder or a file that is looked into. */
const MOST_BYTES = 1024 * 1024;
const FAT12_MOST_CLUSTERS = 4085;
const FAT16_MOST_CLUSTERS = 65_525;

interface Geometry {
  readonly sectorBytes: number;
  readonly clusterBytes: number;
  readonly fatAt: number;
  readonly rootAt: number;
  readonly rootBytes: number;
  readonly rootCluster: number;
  readonly dataAt: number;
  readonly bits: 12 | 16 | 32;
}

interface Entry {
  readonly isFolder: boolean;
  readonly cluster: number;
  readonly sizeBytes: number;
}

/** Finds files of a FAT file system by their short names (Microsoft's fatgen103), and reads how they begin. */
export class Fat {
  private readonly source: ByteSource;
  private readonly geometry: Geometry;

  private constructor(source: ByteSource, geometry: Geometry) {
    this.source = source;
    this.geometry = geometry;
  }

  /** Undefined where there is no such file system. */
  static in(source: ByteSource): Fat | undefined {
    if (source.sizeBytes < 512) return undefined;
    const geometry = geometryOf(source.read(0, 512));
    return geometry && new Fat(source, geometry);
  }

  /** The first bytes of a file, at most a MiB; undefined where there is none. Names are of 8.3 characters, any case. */
  head(path: string, mostBytes: number): Buffer | undefined {
    const names = path.split('/').filter((name) => name !== '');
    let content = this.root();
    for (const [depth, name] of names.entries()) {
      const entry = find(content, name);
      const isLast = depth === names.length - 1;
      if (!entry || entry.isFolder === isLast) return undefined;
      const bytes = isLast ? Math.min(entry.sizeBytes, mostBytes) : MOST_BYTES;
      content = this.chain(entry.cluster, Math.min(bytes, MOST_BYTES));
      if (isLast) return content.subarray(0, bytes);
    }
    return undefined;
  }

  private root(): Buffer {
    const { bits, rootAt, rootBytes, rootCluster } = this.geometry;
    return bits === 32 ? this.chain(rootCluster, MOST_BYTES) : this.source.read(rootAt, rootBytes);
  }

  /** Clusters from the first one on; a chain that leads out of the file system, or round, ends there. */
  private chain(first: number, mostBytes: number): Buffer {
    const { clusterBytes, dataAt } = this.geometry;
    const pieces: Buffer[] = [];
    const seen = new Set<number>();
    let cluster = first;
    for (let done = 0; done < mostBytes && cluster >= 2 && !seen.has(cluster); done += clusterBytes) {
      const at = dataAt + (cluster - 2) * clusterBytes;
      if (at + clusterBytes > this.source.sizeBytes) break;
      pieces.push(this.source.read(at, clusterBytes));
      seen.add(cluster);
      cluster = this.next(cluster);
    }
    return Buffer.concat(pieces);
  }

  private next(cluster: number): number {
    const { bits, fatAt } = this.geometry;
    if (bits === 32) return this.source.read(fatAt + cluster * 4, 4).readUInt32LE(0) & 0x0fff_ffff;
    if (bits === 16) return this.source.read(fatAt + cluster * 2, 2).readUInt16LE(0);
    const pair = this.source.read(fatAt + cluster + (cluster >> 1), 2).readUInt16LE(0);
    return cluster % 2 === 0 ? pair & 0xfff : pair >> 4;
  }
}

function geometryOf(boot: Buffer): Geometry | undefined {
  const [sectorBytes, perCluster, reserved, fats] = [
    boot.readUInt16LE(11),
    boot.readUInt8(13),
    boot.readUInt16LE(14),
    boot.readUInt8(16),
  ];
  const isSound =
    isPowerOfTwo(sectorBytes) && sectorBytes >= 512 && sectorBytes <= 4096 && isPowerOfTwo(perCluster);
  if (!isSound || reserved === 0 || fats === 0 || fats > 4) return undefined;
  const fatSectors = boot.readUInt16LE(22) || boot.readUInt32LE(36);
  const sectors = boot.readUInt16LE(19) || boot.readUInt32LE(32);
  const rootBytes = boot.readUInt16LE(17) * ENTRY_BYTES;
  const rootAt = (reserved + fats * fatSectors) * sectorBytes;
  const dataAt = rootAt + Math.ceil(rootBytes / sectorBytes) * sectorBytes;
  const clusters = Math.floor((sectors * sectorBytes - dataAt) / (perCluster * sectorBytes));
  if (fatSectors === 0 || clusters < 1) return undefined;
  const bits = clusters < FAT12_MOST_CLUSTERS ? 12 : clusters < FAT16_MOST_CLUSTERS ? 16 : 32;
  if ((bits === 32) !== (rootBytes === 0)) return undefined;
  const clusterBytes = perCluster * sectorBytes;
  const rootCluster = bits === 32 ? boot.readUInt32LE(44) : 0;
  const fatAt = reserved * sectorBytes;
  return { sectorBytes, clusterBytes, fatAt, rootAt, rootBytes, rootCluster, dataAt, bits };
}

function find(folder: Buffer, name: string): Entry | undefined {
  const wanted = shortName(name);
  for (let at = 0; at + ENTRY_BYTES <= folder.length; at += ENTRY_BYTES) {
    const first = folder.readUInt8(at);
    if (first === END_OF_FOLDER) return undefined;
    const attributes = folder.readUInt8(at + 11);
    if (first === DELETED || (attributes & ATTRIBUTE_VOLUME) !== 0) continue;
    if (folder.toString('latin1', at, at + 11).toUpperCase() !== wanted) continue;
    return {
      isFolder: (attributes & ATTRIBUTE_FOLDER) !== 0,
      cluster: folder.readUInt16LE(at + 20) * 65_536 + folder.readUInt16LE(at + 26),
      sizeBytes: folder.readUInt32LE(at + 28),
    };
  }
  return undefined;
}

/** `bootx64.efi` as a folder has it: eight characters and three, filled up with spaces. */
function shortName(name: string): string {
  const [stem = '', extension = ''] = name.toUpperCase().split('.');
  return stem.padEnd(8) + extension.padEnd(3);
}
