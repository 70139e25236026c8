import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { BYTES_PER_MIB } from '#libs/kernel';
import type { Ground } from '../planted.fixture.ts';

const run = promisify(execFile);
const FIRST_SECTOR = 2048;

/** A folder with files, by their paths. */
export async function folderOf(
  at: Ground,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = at.path(name);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

/** A disk with an MBR and one file system, made by mke2fs of a folder. */
export async function extDisk(at: Ground, folder: string, type: string, mib = 3): Promise<Buffer> {
  const path = at.path('partition');
  await run('mke2fs', ['-q', '-F', '-t', type, '-d', folder, path, `${mib}M`]);
  const disk = Buffer.concat([Buffer.alloc(BYTES_PER_MIB), await readFile(path)]);
  disk[446 + 4] = 0x83;
  disk.writeUInt32LE(FIRST_SECTOR, 446 + 8);
  disk.writeUInt32LE((mib * BYTES_PER_MIB) / 512, 446 + 12);
  disk.writeUInt16LE(0xaa55, 510);
  return disk;
}

/** A disk with a GPT and partitions of types that sfdisk knows: `U` is an EFI system partition, whose `folder` it has. */
export async function gptDisk(
  at: Ground,
  folder: string,
  { types = ['U'], bits = '12' }: { types?: readonly string[]; bits?: '12' | '16' | '32' } = {},
): Promise<Buffer> {
  const [esp, path] = [at.path('esp'), at.path('gpt')];
  const mib = { 12: 2, 16: 16, 32: 34 }[bits];
  await Promise.all([rm(esp, { force: true }), rm(path, { force: true })]);
  await run('mkfs.vfat', ['-F', bits, '-C', esp, String(mib * 1024)]);
  await run('mcopy', ['-s', '-i', esp, join(folder, 'EFI'), '::/']);
  await run('truncate', ['-s', `${mib + 2 + types.length}M`, path]);
  const table = types.map((type, index) =>
    index === 0 ? `start=${FIRST_SECTOR}, size=${mib * 2048}, type=${type}` : `size=1024, type=${type}`,
  );
  const sfdisk = run('sfdisk', ['-q', path]);
  sfdisk.child.stdin?.end(`label: gpt\n${table.join('\n')}\n`);
  await sfdisk;
  const disk = await readFile(path);
  (await readFile(esp)).copy(disk, BYTES_PER_MIB);
  return disk;
}
