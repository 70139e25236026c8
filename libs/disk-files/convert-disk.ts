import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Adoption, adoptDisk } from './adoption/adopt-disk.ts';
import type { DiskFacts, DiskFormat, DiskLimits, SingleDiskFormat } from './disk-facts.ts';
import { diskError } from './disk-files.errors.ts';
import { lentTo, openGiven } from './given-file.ts';
import { inspectGiven } from './inspect-disk.ts';
import { publish } from './publish.ts';
import { type SandboxLimits, sandboxUser } from './sandbox/bubblewrap.ts';
import { runSandboxed, type SandboxEnd } from './sandbox/run-sandboxed.ts';

export interface ConvertOptions {
  readonly path: string;
  readonly format: DiskFormat;
  /** Which of an archive's disks; the first by default. */
  readonly disk?: number;
  /** The qcow2 file to make. It appears whole, or not at all; its name must be free. */
  readonly to: string;
  /** What is written into the system on it meanwhile. */
  readonly adoption?: Adoption | undefined;
  readonly limits?: DiskLimits;
  readonly wallSeconds?: number;
  readonly signal?: AbortSignal | undefined;
  /** From 0 to 100, as qemu-img tells. */
  readonly onProgress?: ((percent: number) => void) | undefined;
}

export interface ConvertedDisk {
  readonly source: DiskFacts;
  readonly virtualSizeBytes: number;
  readonly fileBytes: number;
}

type Conversion = Pick<DiskFacts, 'format' | 'offsetBytes' | 'lengthBytes' | 'virtualSizeBytes'> & {
  readonly to: 'qcow2' | 'raw';
};

const MIB = 1024 * 1024;
const MEMORY_BYTES = 1024 * MIB;
const DEFAULT_WALL_SECONDS = 4 * 3600;
/** Tables of a qcow2 file with 64 KiB clusters stay below a thousandth of the disk. */
const TABLES_PART = 512;
/** O_TMPFILE of Linux, which Node does not name: a file without a name, gone with its last descriptor. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

/** QEMU's names of drivers. */
const DRIVERS: Readonly<Record<SingleDiskFormat, Readonly<Record<string, unknown>>>> = {
  qcow2: { driver: 'qcow2', backing: null },
  raw: { driver: 'raw' },
  vmdk: { driver: 'vmdk', backing: null },
  vdi: { driver: 'vdi' },
  vhd: { driver: 'vpc', force_size_calc: 'current_size' },
  vhdx: { driver: 'vhdx' },
};

/**
 * Makes a self-contained qcow2 file of an uploaded disk: parsed first, then converted by qemu-img in the same
 * sandbox, with the driver of each layer named and nothing probed, then checked. Whatever ends it before, a
 * killed worker too, leaves nothing: until it is whole the output has no name. To be adopted it is made raw on the way.
 *
 * One conversion of a file at a time: it is lent to the sandbox's user meanwhile.
 * @throws DomainError of ./disk-files.errors.ts
 */
export async function convertDisk(options: ConvertOptions): Promise<ConvertedDisk> {
  await using file = await openGiven(options.path);
  const { limits, signal } = options;
  const found = await inspectGiven(file, options.format, { ...(limits && { limits }), signal });
  const disk = found.disks[options.disk ?? 0];
  if (!disk)
    throw diskError(
      'disk_malformed',
      `There is no disk ${options.disk}: the file has ${found.disks.length}.`,
    );
  await using output = await nameless(options.to);
  if (options.adoption) {
    await using raw = await nameless(options.to);
    await convert(file.handle, raw, { ...disk, to: 'raw' }, options);
    await adoptDisk(raw, options.adoption, { folder: dirname(options.to), signal });
    const { virtualSizeBytes } = disk;
    const whole = { format: 'raw', offsetBytes: 0, lengthBytes: virtualSizeBytes, virtualSizeBytes } as const;
    await convert(raw, output, { ...whole, to: 'qcow2' }, { ...options, onProgress: undefined });
  } else await convert(file.handle, output, { ...disk, to: 'qcow2' }, options);
  await mustBeSound(output, options);
  await output.sync();
  const { size } = await output.stat();
  await publish(output, options.to);
  return { source: disk, virtualSizeBytes: disk.virtualSizeBytes, fileBytes: size };
}

function nameless(to: string): Promise<FileHandle> {
  return open(dirname(to), O_TMPFILE | constants.O_RDWR, 0o600);
}

async function convert(
  input: FileHandle,
  output: FileHandle,
  disk: Conversion,
  options: ConvertOptions,
): Promise<void> {
  const user = sandboxUser();
  const run = () =>
    runSandboxed({
      program: 'qemu-img',
      args: ['convert', '-p', '-O', disk.to, blockGraph(disk), '/proc/self/fd/4'],
      files: [],
      limits: conversionLimits(disk, options),
      user,
      descriptors: [input.fd, output.fd],
      signal: options.signal,
      onOutput: progressTo(options.onProgress),
    });
  const end = await lentTo(input, user, () => lentTo(output, user, run));
  if (end.exitCode !== 0) throw failedBy(end);
}

/**
 * The layers of the disk for QEMU, each by the name of its driver: the file behind descriptor 3, the part of it
 * that is the disk, and the format that was given. QEMU guesses nothing, and follows no name within the disk.
 */
export function blockGraph(disk: Pick<DiskFacts, 'format' | 'offsetBytes' | 'lengthBytes'>): string {
  const file = { driver: 'file', filename: '/proc/self/fd/3', 'read-only': true };
  const part = { driver: 'raw', offset: disk.offsetBytes, size: disk.lengthBytes, file };
  const whole = disk.offsetBytes === 0;
  return `json:${JSON.stringify({ ...DRIVERS[disk.format], file: whole ? file : part })}`;
}

function conversionLimits(disk: Conversion, options: ConvertOptions): SandboxLimits {
  const wallSeconds = options.wallSeconds ?? DEFAULT_WALL_SECONDS;
  return {
    wallSeconds,
    cpuSeconds: wallSeconds,
    memoryBytes: MEMORY_BYTES,
    fileBytes: disk.virtualSizeBytes + Math.ceil(disk.virtualSizeBytes / TABLES_PART) + 4 * MIB,
  };
}

/** Each output is checked by the tool that will use it, under the same walls. */
async function mustBeSound(output: FileHandle, options: ConvertOptions): Promise<void> {
  const user = sandboxUser();
  const { size } = await output.stat();
  const disk = { format: 'qcow2', offsetBytes: 0, lengthBytes: size } as const;
  const wallSeconds = options.wallSeconds ?? DEFAULT_WALL_SECONDS;
  const end = await lentTo(output, user, () =>
    runSandboxed({
      program: 'qemu-img',
      args: ['check', '-q', blockGraph(disk)],
      files: [],
      limits: { wallSeconds, cpuSeconds: wallSeconds, memoryBytes: MEMORY_BYTES, fileBytes: 0 },
      user,
      descriptors: [output.fd],
      signal: options.signal,
    }),
  );
  if (end.exitCode !== 0) throw failedBy(end);
}

function failedBy(end: SandboxEnd) {
  const details = { said: end.stderr.slice(0, 1000), exitCode: end.exitCode };
  if (/No space left on device|Disk quota exceeded/.test(end.stderr)) {
    return diskError(
      'disk_no_space',
      'There is no room here to make the disk ready at the moment: try again later, or ask the operator.',
      { details },
    );
  }
  if (end.killedBy || /File too large|Cannot allocate memory/.test(end.stderr)) {
    return diskError(
      'disk_exceeds_limits',
      'Converting the disk took more time, memory or room than one of its size may. Write it anew with qemu-img convert.',
      { details },
    );
  }
  return diskError(
    'disk_conversion_failed',
    'The disk cannot be read to its end. Run qemu-img check on it, write it anew with qemu-img convert, and upload the result.',
    { details },
  );
}

/** qemu-img writes `(12.34/100%)` over and over. */
function progressTo(tell: ConvertOptions['onProgress']): (text: string) => void {
  return (text) => {
    const last = [...text.matchAll(/\((\d+(?:\.\d+)?)\/100%\)/g)].at(-1);
    if (last && tell) tell(Number(last[1]));
  };
}
