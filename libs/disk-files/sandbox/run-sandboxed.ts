import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
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
const O_CLOEXEC = 0o2000000;
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
    const stdio = descriptorsOf(run.descriptors, nothing);
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

/**
 * The descriptors of the child: ours, and `nothing` over every further one that our own parent left open for
 * children (Node closes its own): what runs within inherits what it is given and nothing else.
 */
function descriptorsOf(given: readonly number[], nothing: number): (number | 'ignore' | 'pipe')[] {
  const stdio = ['ignore' as const, 'pipe' as const, 'pipe' as const, ...given];
  const left = readdirSync('/proc/self/fd').map(Number).filter(isInherited);
  const length = Math.max(stdio.length, ...left.map((fd) => fd + 1));
  return Array.from({ length }, (_, fd) => stdio[fd] ?? (left.includes(fd) ? nothing : 'ignore'));
}

function isInherited(fd: number): boolean {
  const flags = /^flags:\s+([0-7]+)/m.exec(readIfThere(`/proc/self/fdinfo/${fd}`))?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
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
