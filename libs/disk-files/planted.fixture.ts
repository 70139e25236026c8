import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BYTES_PER_MIB } from '#libs/kernel';

const exec = promisify(execFile);

/** Planted files, and a secret beside them that no disk may bring home. */
export interface Ground extends AsyncDisposable {
  readonly folder: string;
  readonly secret: string;
  readonly secretPath: string;
  /** Writes a file and gives its path. */
  plant(name: string, bytes: Buffer | string): Promise<string>;
  qemuImg(...args: string[]): Promise<string>;
  path(name: string): string;
}

export async function ground(): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), 'servery-disks-'));
  const secret = `canary-${randomBytes(16).toString('hex')}`;
  const path = (name: string) => join(folder, name);
  await writeFile(path('secret'), secret.padEnd(64 * 1024, secret));
  return {
    folder,
    secret,
    secretPath: path('secret'),
    path,
    plant: async (name, bytes) => {
      await writeFile(path(name), bytes);
      return path(name);
    },
    qemuImg: async (...args) => (await exec('qemu-img', args, { cwd: folder })).stdout,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A raw disk of 4 MiB: a boot sector, and noise that compresses badly in its second half. */
export function rawDisk(): Buffer {
  const disk = Buffer.alloc(4 * BYTES_PER_MIB);
  disk.writeUInt16LE(0xaa55, 510);
  disk[0] = 0xeb;
  randomBytes(BYTES_PER_MIB).copy(disk, 2 * BYTES_PER_MIB);
  return disk;
}

/** The same disk in every format, by QEMU's own hand. */
export async function realDisks(at: Ground): Promise<Readonly<Record<RealDisk, string>>> {
  const raw = await at.plant('disk.raw', rawDisk());
  const made: Partial<Record<RealDisk, string>> = { raw };
  for (const [name, [driver, ...options]] of Object.entries(CONVERSIONS)) {
    const path = at.path(`disk.${name}`);
    await at.qemuImg('convert', '-f', 'raw', '-O', driver, ...options, raw, path);
    made[name as RealDisk] = path;
  }
  return made as Record<RealDisk, string>;
}

const CONVERSIONS = {
  qcow2: ['qcow2'],
  'qcow2-v2': ['qcow2', '-o', 'compat=0.10'],
  'qcow2-zstd': ['qcow2', '-c', '-o', 'compression_type=zstd'],
  'qcow2-extended': ['qcow2', '-o', 'extended_l2=on'],
  vmdk: ['vmdk', '-o', 'subformat=monolithicSparse'],
  'vmdk-stream': ['vmdk', '-o', 'subformat=streamOptimized'],
  vdi: ['vdi'],
  'vdi-static': ['vdi', '-o', 'static=on'],
  vhd: ['vpc', '-o', 'subformat=dynamic,force_size=on'],
  'vhd-fixed': ['vpc', '-o', 'subformat=fixed,force_size=on'],
  vhdx: ['vhdx'],
} as const satisfies Record<string, readonly [string, ...string[]]>;

export type RealDisk = 'raw' | keyof typeof CONVERSIONS;

/** A copy of a file with bytes of it changed. */
export async function changed(path: string, change: (bytes: Buffer) => Buffer | undefined): Promise<Buffer> {
  const bytes = await readFile(path);
  return change(bytes) ?? bytes;
}
