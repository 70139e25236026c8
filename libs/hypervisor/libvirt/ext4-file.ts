import { execFile } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HypervisorError } from '../hypervisor.errors.ts';

const run = promisify(execFile);

/** Most of a new file system is written by the guest when it is first mounted, so the file stays small. */
const EXT4 = ['-q', '-F', '-t', 'ext4', '-E', 'lazy_itable_init=1,lazy_journal_init=1,nodiscard'];
const TIMEOUT_MS = 300_000;

/** Where libvirt cannot make file systems, and nothing of ours runs on a host, one is made here and brought there. */
export interface Ext4File {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * A qcow2 file on this machine with an empty ext4 file system that fills a disk of `capacityBytes`.
 * @throws host_misconfigured where this machine lacks mke2fs or qemu-img
 */
export async function makeExt4File(capacityBytes: number): Promise<Ext4File> {
  const folder = await mkdtemp(join(tmpdir(), 'servery-ext4-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const [raw, path] = [join(folder, 'raw'), join(folder, 'qcow2')];
  try {
    const file = await open(raw, 'wx', 0o600);
    await file.truncate(capacityBytes).finally(() => file.close());
    await program('mke2fs', [...EXT4, raw]);
    await program('qemu-img', ['convert', '-q', '-f', 'raw', '-O', 'qcow2', raw, path]);
    await rm(raw);
    return { path, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function program(name: string, args: readonly string[]): Promise<void> {
  const env = { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
  await run(name, args, { env, timeout: TIMEOUT_MS }).catch((cause: unknown) => {
    const message = `This machine cannot make a file system: ${name} failed, or is not installed.`;
    throw new HypervisorError('host_misconfigured', message, { cause });
  });
}
