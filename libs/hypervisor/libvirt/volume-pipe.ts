import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { HostRef } from '../port/hosts.ts';
import { LONGEST_SECONDS } from './progress-watch.ts';
import type { Virsh } from './virsh.ts';

const run = promisify(execFile);

/** The bytes of a volume, as libvirt sends and takes them. */
interface End {
  readonly host: HostRef;
  readonly volumeName: string;
}

/**
 * Sends the bytes of a volume of one host's disk pool into one of another's, from virsh to virsh by a named pipe, so that
 * nothing of it lies on this machine. Where either side fails, so does the whole, and neither waits for the other.
 */
export async function pipeVolume(
  virsh: Virsh,
  from: End,
  to: End,
  { signal, onSent }: { readonly signal: AbortSignal; readonly onSent: (bytes: number) => void },
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'servery-pipe-'));
  const pipe = join(folder, 'bytes');
  const broken = new AbortController();
  const failures: unknown[] = [];
  const side = (command: 'vol-download' | 'vol-upload', { host, volumeName }: End) => {
    const args = [command, '--pool', host.diskPool, '--vol', volumeName, '--file', pipe];
    const call = virsh.run(host, args, {
      timeoutSeconds: LONGEST_SECONDS,
      signal: AbortSignal.any([signal, broken.signal]),
      ...(command === 'vol-upload' && { onRead: onSent }),
    });
    return call.catch((error: unknown) => {
      failures.push(error);
      broken.abort();
    });
  };
  try {
    await run('mkfifo', ['-m', '600', pipe]);
    await Promise.all([side('vol-download', from), side('vol-upload', to)]);
    if (failures.length > 0) throw failures[0];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
