import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import { DISK_FILE_ERROR_CODES, diskError } from '../disk-files.errors.ts';
import { lentTo } from '../given-file.ts';
import { type SandboxLimits, sandboxUser } from '../sandbox/bubblewrap.ts';
import { runSandboxed } from '../sandbox/run-sandboxed.ts';
import { parserFiles } from '../sandbox/visible-files.ts';
import { FIRST_BOOT, FIRST_BOOT_SCRIPT, FIRST_BOOT_UNIT } from './first-boot.ts';
import type { AdoptionPlan } from './plan.ts';

/** What is written into a disk before it becomes an image. */
export interface Adoption {
  /** Each one line, as OpenSSH's authorized_keys has them. */
  readonly sshPublicKeys: readonly string[];
}

const GIB = 1024 ** 3;
const PLAN_LIMITS: SandboxLimits = { wallSeconds: 120, cpuSeconds: 60, memoryBytes: GIB, fileBytes: 0 };
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
/** As files within the sandbox are called: 3 is the disk, 4 the commands. */
const FIRST_FILE = 5;

const inode = z.int().min(2).max(0xffff_ffff);
const text = z
  .string()
  .max(64 * 1024)
  .nullable();
const answer = z.union([
  z.object({ refusal: z.object({ code: z.enum(DISK_FILE_ERROR_CODES), message: z.string().max(1000) }) }),
  z.object({
    plan: z.object({
      startBytes: z.int().nonnegative().multipleOf(512),
      home: inode,
      sshFolder: inode.nullable(),
      authorizedKeys: text,
      firstBoot: z
        .object({
          etc: inode,
          folder: inode.nullable(),
          script: text,
          units: inode,
          unit: text,
          wants: inode.nullable(),
          isWanted: z.boolean(),
        })
        .nullable(),
    }),
  }),
]);

/**
 * Writes keys for root into the system on a raw disk, and what lets a system without cloud-init read its seed. Places are
 * found by our own reader and named by inode; e2fsprogs writes, in the sandbox; and what stands there afterwards is read
 * again, for its commands fail without saying so. `folder` is one of ours, for files that never get a name.
 * @throws DomainError `disk_system_unknown`, `disk_system_unclean`, `disk_system_refused`, `disk_conversion_failed`
 */
export async function adoptDisk(
  disk: FileHandle,
  { sshPublicKeys }: Adoption,
  { folder, signal }: { readonly folder: string; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const plan = await planOf(disk, signal);
  const { commands, files } = scriptOf(plan, sshPublicKeys);
  const { size } = await disk.stat();
  await using stack = new AsyncDisposableStack();
  const handles: FileHandle[] = [];
  for (const content of [commands, ...files]) {
    const handle = await open(folder, O_TMPFILE | constants.O_RDWR, 0o600);
    stack.defer(() => handle.close());
    await handle.writeFile(content);
    // The sandbox's user opens it anew.
    await handle.chmod(0o644);
    handles.push(handle);
  }
  const user = sandboxUser();
  await lentTo(disk, user, () =>
    runSandboxed({
      program: 'debugfs',
      args: ['-w', '-f', '/proc/self/fd/4', `/proc/self/fd/3?offset=${plan.startBytes}`],
      files: [],
      limits: { wallSeconds: 300, cpuSeconds: 120, memoryBytes: GIB, fileBytes: size },
      user,
      descriptors: [disk.fd, ...handles.map(({ fd }) => fd)],
      signal,
    }),
  );
  await mustBeThere(await planOf(disk, signal), plan, files);
}

/** Our reader is in the sandbox too: its answer is a stranger's. */
async function planOf(disk: FileHandle, signal: AbortSignal | undefined): Promise<AdoptionPlan> {
  const { files, argv } = parserFiles('plan-adoption.main');
  const end = await runSandboxed({
    program: 'node',
    args: ['--max-old-space-size=256', ...argv],
    files,
    limits: PLAN_LIMITS,
    user: sandboxUser(),
    descriptors: [disk.fd],
    signal,
  });
  const said = answer.safeParse(parsedJson(end.stdout));
  if (end.exitCode !== 0 || !said.success) throw failed(end.stderr);
  if ('refusal' in said.data) throw diskError(said.data.refusal.code, said.data.refusal.message);
  return said.data.plan;
}

function parsedJson(said: string): unknown {
  try {
    return JSON.parse(said);
  } catch {
    return undefined;
  }
}

/** Commands of debugfs(8). All that is in them are names of ours and numbers of inodes. */
function scriptOf(plan: AdoptionPlan, keys: readonly string[]): { commands: string; files: Buffer[] } {
  const files: Buffer[] = [];
  const commands: string[] = [];
  const write = (name: string, content: Buffer, isThere: boolean, mode: string) => {
    if (isThere) commands.push(`rm ${name}`);
    commands.push(`write /proc/self/fd/${FIRST_FILE + files.length} ${name}`, ...ofRoot(name, `0100${mode}`));
    files.push(content);
  };
  const enter = (parent: number, name: string, inodeOf: number | null, mode: string) => {
    commands.push(`cd <${inodeOf ?? parent}>`);
    if (inodeOf === null) commands.push(`mkdir ${name}`, ...ofRoot(name, `040${mode}`), `cd ${name}`);
  };
  enter(plan.home, '.ssh', plan.sshFolder, '700');
  write('authorized_keys', keysWith(plan.authorizedKeys, keys), plan.authorizedKeys !== null, '600');
  const { firstBoot } = plan;
  if (firstBoot) {
    enter(firstBoot.etc, FIRST_BOOT.folder, firstBoot.folder, '755');
    write(FIRST_BOOT.script, Buffer.from(FIRST_BOOT_SCRIPT), firstBoot.script !== null, '755');
    commands.push(`cd <${firstBoot.units}>`);
    write(FIRST_BOOT.unit, Buffer.from(FIRST_BOOT_UNIT), firstBoot.unit !== null, '644');
    if (!firstBoot.isWanted) {
      enter(firstBoot.units, 'multi-user.target.wants', firstBoot.wants, '755');
      commands.push(`symlink ${FIRST_BOOT.unit} ../${FIRST_BOOT.unit}`);
    }
  }
  return { commands: commands.map((command) => `${command}\n`).join(''), files };
}

function ofRoot(name: string, mode: string): string[] {
  return [`sif ${name} mode ${mode}`, `sif ${name} uid 0`, `sif ${name} gid 0`];
}

/** Those that are there stay byte by byte, whatever they are, and no key is there twice. */
function keysWith(existing: string | null, sshPublicKeys: readonly string[]): Buffer {
  const before = existing ?? '';
  const keys = sshPublicKeys.map((key) => Buffer.from(key, 'utf8').toString('latin1'));
  const lines = before.split('\n');
  const added = keys.filter((key) => !lines.includes(key)).map((key) => `${key}\n`);
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  return Buffer.from(`${before}${gap}${added.join('')}`, 'latin1');
}

async function mustBeThere(
  found: AdoptionPlan,
  planned: AdoptionPlan,
  files: readonly Buffer[],
): Promise<void> {
  const texts = [found.authorizedKeys, found.firstBoot?.script, found.firstBoot?.unit];
  const isWhole = files.every((file, index) => file.toString('latin1') === texts[index]);
  if (isWhole && (planned.firstBoot === null || found.firstBoot?.isWanted)) return;
  throw failed('what was written is not there');
}

function failed(said: string) {
  return diskError(
    'disk_conversion_failed',
    'The keys could not be written into the disk: is its file system full, or damaged? Run e2fsck on it, or import it without ssh_keys.',
    { details: { said: said.slice(0, 1000) } },
  );
}
