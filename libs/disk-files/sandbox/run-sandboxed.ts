import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { withoutInherited } from '#libs/confinement';
import { diskError } from '../disk-files.errors.ts';
import { type Confined, type SandboxLimits, sandboxCommand } from './bubblewrap.ts';

export interface SandboxRun extends Confined {
  readonly limits: SandboxLimits;
  /** From sandboxUser(): who was given the files behind the descriptors. */
  readonly user: number | null;
  /** Become 3, 4… within: all that the child can reach. */
  readonly descriptors: readonly number[];
  readonly signal?: AbortSignal | undefined;
  readonly onOutput?: (text: string) => void;
}

export interface SandboxEnd {
  readonly exitCode: number | null;
  readonly killedBy: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** More than any honest child says; what goes beyond is not kept. */
const MAX_TEXT_BYTES = 256 * 1024;
/** How a shell, and prlimit's child, tell of a signal: 128 + its number. */
const SIGNALLED = new Map<number, NodeJS.Signals>([
  [137, 'SIGKILL'],
  [152, 'SIGXCPU'],
  [153, 'SIGXFSZ'],
]);

/**
 * Runs a program in the sandbox to its end. Never runs it anywhere else.
 * @throws DomainError `disk_sandbox_unavailable`, `disk_work_cancelled`, `disk_exceeds_limits` (time)
 */
export async function runSandboxed(run: SandboxRun): Promise<SandboxEnd> {
  const [command, ...args] = await sandboxCommand(run, run.limits, run.user);
  if (run.signal?.aborted) throw cancelled();
  return new Promise((resolve, reject) => {
    const nothing = openSync('/dev/null', 'r');
    const stdio = withoutInherited(['ignore', 'pipe', 'pipe', ...run.descriptors], nothing);
    const child = spawn(command, args, { cwd: '/', env: {}, stdio });
    closeSync(nothing);
    let stop: Error | undefined;
    const end = (why: Error) => {
      stop ??= why;
      // bubblewrap's first process of the namespace dies with it, and all the others with that one.
      child.kill('SIGKILL');
    };
    const cancel = () => end(cancelled());
    const timer = setTimeout(() => end(tooLong(run.limits.wallSeconds)), run.limits.wallSeconds * 1000);
    run.signal?.addEventListener('abort', cancel, { once: true });
    const texts = Promise.all([collect(child.stdout, run.onOutput), collect(child.stderr)]);
    child.once('error', (cause) => {
      stop ??= unavailable(cause.message);
    });
    child.once('close', async (exitCode, signal) => {
      clearTimeout(timer);
      run.signal?.removeEventListener('abort', cancel);
      const [stdout, stderr] = await texts;
      const killedBy = signal ?? SIGNALLED.get(exitCode ?? 0) ?? null;
      if (stop) reject(stop);
      else if (/^(bwrap|setpriv|prlimit): /m.test(stderr)) reject(unavailable(stderr));
      else resolve({ exitCode, killedBy, stdout, stderr });
    });
  });
}

async function collect(stream: Readable | null, onOutput?: (text: string) => void): Promise<string> {
  let text = '';
  stream?.setEncoding('utf8');
  for await (const piece of stream ?? []) {
    onOutput?.(piece);
    if (text.length < MAX_TEXT_BYTES) text += piece;
  }
  return text;
}

function cancelled() {
  return diskError('disk_work_cancelled', 'The work on the disk was cancelled; nothing of it is left.');
}

function tooLong(seconds: number) {
  return diskError(
    'disk_exceeds_limits',
    `The disk was not read within ${seconds} s. Write it anew with qemu-img convert, or upload a smaller one.`,
  );
}

function unavailable(said: string) {
  return diskError(
    'disk_sandbox_unavailable',
    'This machine cannot make the sandbox in which disks are read, so none is opened. The operator must allow bubblewrap: run the worker as root, or allow user namespaces.',
    { details: { said: said.slice(0, 1000) } },
  );
}
