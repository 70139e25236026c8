import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, open, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import type { ImageFile } from '#libs/hypervisor';
import { buildTinyGuest } from '../../lab/tiny-guest.ts';

const run = promisify(execFile);
const MIB = 1024 ** 2;
const HERE = import.meta.dirname;
const PERL = '/usr/bin/perl';

/** A golden image whose guest finds the bench's programs behind its own disk. */
export interface BenchImage {
  readonly file: ImageFile;
  /** What unpacks the programs in the guest, by its shell. */
  readonly unpack: string;
}

/** How a program of the bench is run in the guest. */
export const inGuest = (program: 'writer.pl' | 'reader.pl', ...args: readonly (string | number)[]) =>
  `/tools/ld.so --library-path /tools /tools/perl /tools/${program} ${args.join(' ')}`;

/** The tiny guest's disk, and behind its end an archive with Debian's Perl and the bench's programs. */
export async function buildBenchImage(folder: string): Promise<BenchImage> {
  const tiny = await buildTinyGuest(join('.servery-test', 'tiny'));
  const raw = join(folder, 'bench.raw');
  const path = join(folder, 'bench.qcow2');
  await run('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', tiny.path, raw]);
  const archive = await readFile(await packTools(folder));
  const startMib = Math.ceil(tiny.virtualSizeBytes / MIB);
  const sizeMib = Math.ceil(archive.length / MIB);
  const disk = await open(raw, 'r+');
  await disk.write(archive, 0, archive.length, startMib * MIB);
  await disk.truncate((startMib + sizeMib) * MIB);
  await disk.close();
  await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, path]);
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  return {
    file: {
      ...{ volumeName: 'bench.qcow2', path, format: 'qcow2', sha256 },
      virtualSizeBytes: (await stat(raw)).size,
    },
    unpack: `mkdir -p /tools && dd if=/dev/vda bs=1M skip=${startMib} count=${sizeMib} | tar x -C /tools`,
  };
}

/** Perl with its libraries and loader, as this machine has them: it needs nothing of the guest's. */
async function packTools(folder: string): Promise<string> {
  const tools = join(folder, 'tools');
  await mkdir(tools);
  const { stdout } = await run('ldd', [PERL]);
  for (const [, path = ''] of stdout.matchAll(/(\/\S+) \(0x/g)) {
    await copyFile(path, join(tools, basename(path).startsWith('ld-') ? 'ld.so' : basename(path)));
  }
  await copyFile(PERL, join(tools, 'perl'));
  for (const name of ['writer.pl', 'reader.pl']) await copyFile(join(HERE, name), join(tools, name));
  const archive = join(folder, 'tools.tar');
  await run('tar', ['--create', '--file', archive, '--directory', tools, '.']);
  return archive;
}
