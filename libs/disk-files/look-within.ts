import { z } from 'zod';
import { openGiven } from './given-file.ts';
import type { DiskContents } from './guest/contents.ts';
import { FILE_SYSTEMS } from './guest/find-boot.ts';
import { DRIVERS } from './guest/find-guest.ts';
import { sandboxUser } from './sandbox/bubblewrap.ts';
import { runSandboxed } from './sandbox/run-sandboxed.ts';
import { parserFiles } from './sandbox/visible-files.ts';

const word = z.string().max(64).nullable();
const answer = z.object({
  boot: z.object({ bios: z.boolean(), uefi: z.boolean() }),
  fileSystems: z.array(z.enum(FILE_SYSTEMS)).max(FILE_SYSTEMS.length),
  guest: z
    .object({
      osId: word,
      osVersion: word,
      drivers: z.array(z.enum(DRIVERS)).max(DRIVERS.length),
      hasCloudInit: z.boolean(),
      hasGuestAgent: z.boolean(),
      hasSshServer: z.boolean(),
      readsSeed: z.boolean(),
    })
    .nullable(),
});

/** Some hundred small reads; Node itself needs about 600 MiB of what is counted. */
const LIMITS = { wallSeconds: 120, cpuSeconds: 60, memoryBytes: 1024 ** 3, fileBytes: 0 };

/**
 * What a converted disk holds, as far as we know our way in it; read in the sandbox, by code of ours. Null where what is
 * there leads nowhere: a look that fails forbids nothing.
 * @throws DomainError `disk_path_unsafe`, `disk_sandbox_unavailable`, `disk_work_cancelled`, `disk_exceeds_limits`
 */
export async function lookWithin(path: string, signal?: AbortSignal): Promise<DiskContents | null> {
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
    return end.exitCode === 0 ? answer.parse(JSON.parse(end.stdout)) : null;
  } catch {
    return null;
  }
}
