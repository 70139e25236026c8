import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CHUNK_BYTES, type Digested, DigestingStream, digestFile, readable, settle } from './digesting.ts';
import { selfContainedDisk } from './disk-check.ts';
import { noSpace, refuseCancelled } from './export-file.errors.ts';
import {
  type ExportFormat,
  type ExportManifest,
  type ExportSubject,
  exportSubject,
  parseExportManifest,
} from './manifest.ts';
import { ovaBytes } from './ova.ts';
import { qemuImg } from './qemu-img.ts';
import { setContentId } from './vmdk-identity.ts';
import { zstd } from './zstd.ts';

export interface ExportOrder {
  /** A self-contained qcow2 file on this machine. */
  readonly diskPath: string;
  readonly format: ExportFormat;
  readonly subject: ExportSubject;
  /** Made, with the export's file and its `manifest.json` in it, or not there at all. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  /** How much of the work is done, 0 to 100, never falling. */
  readonly onPercent?: ((percent: number) => void) | undefined;
}

const ENDINGS: Readonly<Record<ExportFormat, string>> = {
  qcow2: '.qcow2',
  raw: '.raw.zst',
  vmdk: '.vmdk',
  ova: '.ova',
};
const MANIFEST = 'manifest.json';
const PART = '.part-';

/**
 * Makes the customer's file from a disk, with a manifest beside it. What is there already is given as it is, so
 * the call may be repeated. Half an export is never in `folder`, and none is left after a failure; what a killed
 * process leaves, the next call for the same folder, or `sweepHalfExports`, takes away.
 * @throws DomainError `export_disk_unfit`, `export_no_space`, `export_cancelled`, `export_tool_failed`…
 */
export async function makeExport(order: ExportOrder): Promise<ExportManifest> {
  refuseCancelled(order.signal);
  const folder = resolve(order.folder);
  const finished = await readExport(folder);
  if (finished) return finished;
  await sweepHalfExports(dirname(folder), basename(folder));
  const part = `${folder}${PART}${randomUUID()}`;
  try {
    await mkdir(part, { recursive: true, mode: 0o700 });
    const manifest = await write({ ...order, subject: exportSubject.parse(order.subject) }, part);
    refuseCancelled(order.signal);
    await rm(folder, { recursive: true, force: true });
    await rename(part, folder);
    await settle(dirname(folder));
    return manifest;
  } catch (error) {
    throw readable(error);
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

/** The manifest of a finished export; undefined where there is none, or its file is not as long as it says. */
export async function readExport(folder: string): Promise<ExportManifest | undefined> {
  const manifest = parseExportManifest(await readFile(join(folder, MANIFEST), 'utf8').catch(() => ''));
  if (!manifest) return undefined;
  const file = await stat(join(folder, manifest.file.name)).catch(() => undefined);
  return file?.size === manifest.file.sizeBytes ? manifest : undefined;
}

/** Removes what killed processes left in the folder of all exports. Only where nobody is at work there. */
export async function sweepHalfExports(exportsFolder: string, name?: string): Promise<void> {
  for (const entry of await readdir(exportsFolder).catch(() => [])) {
    const of = entry.split(PART)[0];
    if (!entry.includes(PART) || (name !== undefined && of !== name)) continue;
    await rm(join(exportsFolder, entry), { recursive: true, force: true });
  }
}

async function write(order: ExportOrder, part: string): Promise<ExportManifest> {
  const { virtualSizeBytes } = await selfContainedDisk(order.diskPath);
  const name = `${order.subject.name}${ENDINGS[order.format]}`;
  const work = { ...order, part, path: join(part, name), virtualSizeBytes };
  const file = await WRITERS[order.format](work);
  await settle(work.path);
  const manifest: ExportManifest = {
    schema: 1,
    format: order.format,
    file: { name, ...file },
    disk: { virtualSizeBytes },
    server: order.subject,
  };
  await writeFile(join(part, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
  await settle(part);
  order.onPercent?.(100);
  return manifest;
}

interface Work extends ExportOrder {
  /** The folder to work in. */
  readonly part: string;
  /** The file to make. */
  readonly path: string;
  readonly virtualSizeBytes: number;
}

const WRITERS: Readonly<Record<ExportFormat, (work: Work) => Promise<Digested>>> = {
  qcow2: async (work) => {
    await convert(work, work.path, ['-c', '-O', 'qcow2', '-o', 'compression_type=zstd'], 0.9);
    return digest(work, 0.9);
  },
  raw: async (work) => {
    const rawPath = join(work.part, 'disk.raw');
    await convert(work, rawPath, ['-O', 'raw'], 0.4);
    const packed = await stream(work, createReadStream(rawPath, { highWaterMark: CHUNK_BYTES }), {
      totalBytes: work.virtualSizeBytes,
      from: 0.4,
      through: (bytes) => zstd(bytes, work.virtualSizeBytes),
    });
    await rm(rawPath);
    return packed;
  },
  vmdk: async (work) => {
    await convertToVmdk(work, work.path, 0.9);
    return digest(work, 0.9);
  },
  ova: async (work) => {
    const vmdkPath = join(work.part, `${work.subject.name}-disk1.vmdk`);
    await convertToVmdk(work, vmdkPath, 0.8);
    const bytes = Readable.from(ovaBytes(work.subject, vmdkPath, work.virtualSizeBytes));
    const packed = await stream(work, bytes, { totalBytes: (await stat(vmdkPath)).size, from: 0.8 });
    await rm(vmdkPath);
    return packed;
  },
};

/** `share`: how much of all the work this is. */
async function convert(work: Work, to: string, args: readonly string[], share: number): Promise<void> {
  const call = qemuImg(['convert', '-p', '-f', 'qcow2', ...args, work.diskPath, to], {
    signal: work.signal,
    onPercent: (percent) => work.onPercent?.(percent * share),
  });
  await call.catch(async (error: unknown) => {
    // Its VMDK writer does not say why it failed.
    const { bavail, bsize } = await statfs(work.part);
    throw bavail * bsize < CHUNK_BYTES && !work.signal?.aborted ? noSpace(error) : error;
  });
}

/** Stream-optimized: compressed, in order, the one kind that OVF importers take. */
async function convertToVmdk(work: Work, to: string, share: number): Promise<void> {
  await convert(work, to, ['-O', 'vmdk', '-o', 'subformat=streamOptimized,adapter_type=lsilogic'], share);
  await setContentId(to, `${work.subject.name} ${work.subject.frozenAt}`);
}

async function digest(work: Work, from: number): Promise<Digested> {
  const { size } = await stat(work.path);
  return digestFile(work.path, work.signal, progress(work, size, from));
}

type Through = (bytes: AsyncIterable<Buffer>) => AsyncIterable<Buffer>;

async function stream(
  work: Work,
  source: Readable,
  how: { readonly totalBytes: number; readonly from: number; readonly through?: Through },
): Promise<Digested> {
  const digesting = new DigestingStream();
  const counted = counting(source, progress(work, how.totalBytes, how.from));
  const bytes = how.through ? how.through(counted) : counted;
  const target = createWriteStream(work.path, { highWaterMark: CHUNK_BYTES });
  await pipeline(bytes, digesting, target, work.signal ? { signal: work.signal } : {});
  return digesting.digested();
}

async function* counting(source: AsyncIterable<Buffer>, onBytes: (bytes: number) => void) {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    onBytes(bytes);
    yield chunk;
  }
}

function progress(work: Work, totalBytes: number, from: number): (bytes: number) => void {
  return (bytes) => work.onPercent?.(100 * (from + (1 - from) * Math.min(1, bytes / totalBytes)));
}
