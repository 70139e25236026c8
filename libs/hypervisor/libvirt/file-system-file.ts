import { execFile } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HypervisorError } from '../hypervisor.errors.ts';
import type { FileSystem } from '../port/block-volumes.ts';

const runFile = promisify(execFile);

/** What makes each file system; `nodiscard` and `-K`: a new file has nothing that could be discarded. */
const MAKERS = {
  /** Most of it is written by the guest when it is first mounted, so the file stays small. */
  ext4: {
    name: 'mke2fs',
    args: ['-q', '-F', '-t', 'ext4', '-E', 'lazy_itable_init=1,lazy_journal_init=1,nodiscard'],
    debianPackage: 'e2fsprogs',
  },
  xfs: { name: 'mkfs.xfs', args: ['-q', '-f', '-K'], debianPackage: 'xfsprogs' },
} as const satisfies Record<FileSystem, Program>;

const QEMU_IMG = {
  name: 'qemu-img',
  args: ['convert', '-q', '-f', 'raw', '-O', 'qcow2'],
  debianPackage: 'qemu-utils',
} as const satisfies Program;

const TIMEOUT_MS = 300_000;

interface Program {
  readonly name: string;
  readonly args: readonly string[];
  readonly debianPackage: string;
}

/** Where libvirt cannot make file systems, and nothing of ours runs on a host, one is made here and brought there. */
export interface FileSystemFile {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * A qcow2 file on this machine with an empty file system that fills a disk of `capacityBytes`: 300 MiB at least for XFS.
 * @throws host_misconfigured where this machine lacks the program that makes it, or qemu-img
 */
export async function makeFileSystem(format: FileSystem, capacityBytes: number): Promise<FileSystemFile> {
  const folder = await mkdtemp(join(tmpdir(), `servery-${format}-`));
  const remove = () => rm(folder, { recursive: true, force: true });
  const [raw, path] = [join(folder, 'raw'), join(folder, 'qcow2')];
  try {
    const file = await open(raw, 'wx', 0o600);
    await file.truncate(capacityBytes).finally(() => file.close());
    await run(MAKERS[format], [raw]);
    await run(QEMU_IMG, [raw, path]);
    await rm(raw);
    return { path, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function run({ name, args, debianPackage }: Program, more: readonly string[]): Promise<void> {
  const env = { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
  await runFile(name, [...args, ...more], { env, timeout: TIMEOUT_MS }).catch((cause: unknown) => {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const why = isMissing ? `is not installed: install ${debianPackage} where the worker runs` : 'failed';
    throw new HypervisorError(
      'host_misconfigured',
      `This machine cannot make a file system: ${name} ${why}.`,
      {
        cause,
      },
    );
  });
}
