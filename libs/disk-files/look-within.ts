import { z } from 'zod';
import { openGiven } from './given-file.ts';
import type { GuestSystem } from './guest/find-guest.ts';
import { sandboxUser } from './sandbox/bubblewrap.ts';
import { runSandboxed } from './sandbox/run-sandboxed.ts';
import { parserFiles } from './sandbox/visible-files.ts';

const word = z.string().max(64).nullable();
const answer = z.object({
  guest: z
    .object({
      osId: word,
      osVersion: word,
      hasVirtioDisk: z.boolean(),
      hasCloudInit: z.boolean(),
      hasGuestAgent: z.boolean(),
    })
    .nullable(),
});

/** Some hundred small reads; Node itself needs about 600 MiB of what is counted. */
const LIMITS = { wallSeconds: 120, cpuSeconds: 60, memoryBytes: 1024 ** 3, fileBytes: 0 };

/**
 * What system a converted disk holds, as far as its file system is one that we know; read in the sandbox, by code of
 * ours. Null where it is not, or where what is there leads nowhere: a look that fails forbids nothing.
 * @throws DomainError `disk_path_unsafe`, `disk_sandbox_unavailable`, `disk_work_cancelled`, `disk_exceeds_limits`
 */
export async function lookWithin(path: string, signal?: AbortSignal): Promise<GuestSystem | null> {
  await using file = await openGiven(path);
  const { files, argv } = parserFiles('look-within.main');
  const end = await runSandboxed({
    program: 'node',
    args: ['--max-old-space-size=256', ...argv],
    files,
    limits: LIMITS,
    user: sandboxUser(),
    descriptors: [file.handle.fd],
    signal,
  });
  try {
    return end.exitCode === 0 ? answer.parse(JSON.parse(end.stdout)).guest : null;
  } catch {
    return null;
  }
}
