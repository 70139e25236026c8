import { z } from 'zod';
import {
  DEFAULT_DISK_LIMITS,
  DISK_FORMATS,
  type DiskFormat,
  type DiskLimits,
  type InspectedFile,
} from './disk-facts.ts';
import { DISK_FILE_ERROR_CODES, diskError } from './disk-files.errors.ts';
import { type GivenFile, openGiven } from './given-file.ts';
import { type SandboxLimits, sandboxUser } from './sandbox/bubblewrap.ts';
import { runSandboxed, type SandboxEnd } from './sandbox/run-sandboxed.ts';
import { parserFiles } from './sandbox/visible-files.ts';

export interface InspectOptions {
  readonly limits?: DiskLimits;
  readonly signal?: AbortSignal | undefined;
}

const MIB = 1024 * 1024;
/** Node itself needs about 600 MiB of what is counted; checksums of an archive take their time. */
const PARSER_LIMITS: SandboxLimits = {
  wallSeconds: 900,
  cpuSeconds: 600,
  memoryBytes: 1024 * MIB,
  fileBytes: 0,
};

const bytes = z.int().nonnegative();
const hint = z.string().max(256).nullable();
const answer = z.union([
  z.object({ refusal: z.object({ code: z.enum(DISK_FILE_ERROR_CODES), message: z.string().max(1000) }) }),
  z.object({
    found: z.object({
      format: z.enum(DISK_FORMATS),
      disks: z.array(
        z.object({
          format: z.enum(DISK_FORMATS).exclude(['ova']),
          name: hint,
          offsetBytes: bytes,
          lengthBytes: bytes,
          virtualSizeBytes: bytes.multipleOf(512),
          allocatedBytes: bytes.nullable(),
          partitionTable: z.enum(['mbr', 'gpt']).nullable(),
        }),
      ),
      machine: z
        .object({
          name: hint,
          cpus: z.int().positive().nullable(),
          memoryMib: z.int().positive().nullable(),
          firmware: z.enum(['bios', 'efi']).nullable(),
          operatingSystem: hint,
        })
        .nullable(),
    }),
  }),
]);

/**
 * What an uploaded file is. Its bytes are read by our own parser, in the sandbox, before any other program opens
 * it; the format is the one that the uploader gave.
 * @throws DomainError of ./disk-files.errors.ts: the file is not taken, and what its uploader can do
 */
export async function inspectDisk(
  path: string,
  format: DiskFormat,
  options: InspectOptions = {},
): Promise<InspectedFile> {
  await using file = await openGiven(path);
  return await inspectGiven(file, format, options);
}

/** The same, of a file that is open. */
export async function inspectGiven(
  file: GivenFile,
  format: DiskFormat,
  { limits = DEFAULT_DISK_LIMITS, signal }: InspectOptions,
): Promise<InspectedFile> {
  const { files, argv } = parserFiles();
  const end = await runSandboxed({
    program: 'node',
    args: ['--max-old-space-size=256', ...argv, format, String(limits.virtualSizeBytes)],
    files,
    limits: PARSER_LIMITS,
    user: sandboxUser(),
    descriptors: [file.handle.fd],
    signal,
  });
  const found = believe(end);
  const outside = found.disks.some(
    ({ offsetBytes, lengthBytes }) => offsetBytes + lengthBytes > file.sizeBytes,
  );
  if (found.format !== format || found.disks.length === 0 || outside) throw unreadable(end);
  return found;
}

/** The child has read what an attacker wrote: its answer is a stranger's. */
function believe(end: SandboxEnd): InspectedFile {
  const said = answer.safeParse(parsedJson(end.stdout));
  if (end.exitCode !== 0 || !said.success) throw unreadable(end);
  if ('refusal' in said.data) throw diskError(said.data.refusal.code, said.data.refusal.message);
  return said.data.found;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreadable(end: SandboxEnd) {
  if (end.killedBy) {
    return diskError(
      'disk_exceeds_limits',
      'Reading the disk’s header took more than any disk should. Write it anew with qemu-img convert.',
    );
  }
  return diskError('disk_malformed', 'The file could not be read. Write it anew with qemu-img convert.', {
    details: { said: end.stderr.slice(0, 1000) },
  });
}
