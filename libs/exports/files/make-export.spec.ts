import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withSmallFolder } from '../../../test/support/small-folder.ts';
import { subject } from './export-subject.fixture.ts';
import { type ExportOrder, makeExport, readExport, sweepHalfExports } from './make-export.ts';
import { EXPORT_FORMATS, type ExportFormat } from './manifest.ts';

const run = promisify(execFile);
const MIB = 1024 * 1024;
const DISK_BYTES = 96 * MIB;

let folder: string;
let diskPath: string;
let content: string;

/** SHA-256 of the disk that a guest would see in a file, whose format is told. */
async function seenIn(path: string, format: 'qcow2' | 'raw' | 'vmdk'): Promise<string> {
  const raw = join(folder, 'seen.raw');
  await run('qemu-img', ['convert', '-f', format, '-O', 'raw', path, raw]);
  return sha256Of(raw);
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

/** A disk with some noise, some words and large holes. */
async function makeDisk(path: string, noiseBytes: number): Promise<void> {
  const raw = `${path}.raw`;
  const file = await open(raw, 'w');
  await file.truncate(DISK_BYTES);
  await file.write(randomBytes(noiseBytes), 0, noiseBytes, 5 * MIB);
  await file.write('what the customer wrote', DISK_BYTES - 4096);
  await file.close();
  await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, path]);
  await rm(raw);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'servery-exports-'));
  diskPath = join(folder, 'flat.qcow2');
  await makeDisk(diskPath, 12 * MIB);
  content = await seenIn(diskPath, 'qcow2');
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const order = (name: string, format: ExportFormat): ExportOrder => ({
  diskPath,
  format,
  subject,
  folder: join(folder, name, 'export'),
});

/** The disk of an export, opened as whoever took it home would. */
async function takenHome(exported: string, format: ExportFormat): Promise<string> {
  if (format === 'raw') {
    await run('zstd', ['-q', '-d', exported, '-o', `${exported}.raw`]);
    return seenIn(`${exported}.raw`, 'raw');
  }
  if (format !== 'ova') return seenIn(exported, format);
  const unpacked = `${exported}.d`;
  await mkdir(unpacked);
  await run('tar', ['-x', '-f', exported, '-C', unpacked]);
  return seenIn(join(unpacked, 'shop.example-disk1.vmdk'), 'vmdk');
}

describe.each(EXPORT_FORMATS)('an export as %s', (format) => {
  it('holds the whole disk when everything else is gone, and its manifest tells the truth', async () => {
    const source = join(folder, `source-${format}.qcow2`);
    await run('cp', [diskPath, source]);
    const seen: number[] = [];
    const asked = { ...order(format, format), diskPath: source, onPercent: (at: number) => seen.push(at) };
    const manifest = await makeExport(asked);
    await rm(source);
    expect((await readdir(asked.folder)).sort()).toEqual([manifest.file.name, 'manifest.json'].sort());
    expect(await readdir(join(folder, format))).toEqual(['export']);
    const path = join(asked.folder, manifest.file.name);
    expect(manifest).toMatchObject({
      schema: 1,
      format,
      file: { sha256: await sha256Of(path), sizeBytes: await open(path).then(sizeAndClose) },
      disk: { virtualSizeBytes: DISK_BYTES },
      server: subject,
    });
    expect(await takenHome(path, format)).toBe(content);
    expect(seen.at(-1)).toBe(100);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  it('has the same bytes when it is made again', async () => {
    const first = await makeExport(order(`${format}-first`, format));
    expect(await makeExport(order(`${format}-second`, format))).toEqual(first);
  });

  it('leaves nothing where there is no room', async () => {
    const small = join(folder, `small-${format}`);
    await withSmallFolder(small, async () => {
      const asked = { ...order('unused', format), folder: join(small, 'export') };
      await expect(makeExport(asked)).rejects.toMatchObject({ code: 'export_no_space' });
      expect(await readdir(small)).toEqual([]);
    });
  });

  it('leaves nothing when it is cancelled', async () => {
    const asked = order(`${format}-cancelled`, format);
    for (const percent of [0, 10, 50, 95]) {
      const cancel = new AbortController();
      const onPercent = (at: number) => at >= percent && cancel.abort();
      const call = makeExport({ ...asked, signal: cancel.signal, onPercent });
      await expect(call, `at ${percent} %`).rejects.toMatchObject({ code: 'export_cancelled' });
      expect(await readdir(join(folder, `${format}-cancelled`))).toEqual([]);
    }
  });
});

const sizeAndClose = async (file: Awaited<ReturnType<typeof open>>) => {
  const { size } = await file.stat();
  await file.close();
  return size;
};

describe('an export', () => {
  it('is not made again when it is there', async () => {
    const asked = order('again', 'qcow2');
    const first = await makeExport(asked);
    expect(await makeExport({ ...asked, diskPath: '/nonexistent' })).toEqual(first);
  });

  it('is made anew where its file is cut off', async () => {
    const asked = order('cut', 'qcow2');
    const { file } = await makeExport(asked);
    await writeFile(join(asked.folder, file.name), 'half');
    expect(await readExport(asked.folder)).toBeUndefined();
    expect((await makeExport(asked)).file).toEqual(file);
  });

  it('leaves no process when it is killed, and the next one takes its half away', async () => {
    const asked = order('killed', 'vmdk');
    const child = spawn(
      process.execPath,
      [
        '--conditions=source',
        new URL('./make-export-once.fixture.ts', import.meta.url).pathname,
        ...[asked.diskPath, 'vmdk', asked.folder, JSON.stringify(subject)],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (text) => Number.parseFloat(String(text)) >= 0 && resolve());
    });
    child.kill('SIGKILL');
    while ((await processesWith(asked.folder)).length > 0) await pause(50);
    const left = await readdir(join(folder, 'killed'));
    expect(left).toEqual([expect.stringMatching(/^export\.part-/)]);
    await makeExport(asked);
    expect(await readdir(join(folder, 'killed'))).toEqual(['export']);
  });

  it('sweeps halves, and not what is whole', async () => {
    const swept = join(folder, 'swept');
    await mkdir(join(swept, '17.part-1'), { recursive: true });
    await mkdir(join(swept, '18'));
    await sweepHalfExports(swept);
    expect(await readdir(swept)).toEqual(['18']);
  });
});

async function processesWith(path: string): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(path));
}

describe('a disk that is no self-contained qcow2', () => {
  it.each([
    ['stands on another', async (path: string) => qcow2(path, ['-b', diskPath, '-F', 'qcow2'])],
    ['keeps its data elsewhere', async (path: string) => qcow2(path, ['-o', `data_file=${path}.data`], '8M')],
    ['is raw', async (path: string) => writeFile(path, Buffer.alloc(MIB))],
    ['is not there', async () => undefined],
  ])('is refused: it %s', async (what, make) => {
    const path = join(folder, `unfit ${what}`);
    await make(path);
    const call = makeExport({ ...order('unfit', 'qcow2'), diskPath: path });
    await expect(call).rejects.toMatchObject({ code: 'export_disk_unfit' });
    expect(await readdir(join(folder, 'unfit')).catch(() => [])).toEqual([]);
  });
});

const qcow2 = (path: string, options: string[], ...size: string[]) =>
  run('qemu-img', ['create', '-q', '-f', 'qcow2', ...options, path, ...size]);
