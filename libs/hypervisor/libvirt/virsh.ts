import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { HypervisorError } from '../hypervisor.errors.ts';
import type { HostRef } from '../port.ts';
import { Gate } from './gate.ts';
import { classify } from './virsh-errors.ts';
import { type SessionAnswer, VirshSession } from './virsh-session.ts';

export interface VirshOptions {
  readonly timeoutSeconds?: number;
  /** What virsh reads where an argument is /dev/stdin. */
  readonly input?: string | Buffer;
  /** Is told now and then how many bytes virsh has read from files, its own libraries included. */
  readonly onRead?: (bytes: number) => void;
  /** Ends virsh, as if its time were up. What it asked for may go on at the host. */
  readonly signal?: AbortSignal;
}

export interface VirshSettings {
  /** How many calls may be under way to one host at once, each with a virsh process of its own. */
  readonly atOncePerHost?: number;
  /** For calls that name no time limit of their own. */
  readonly timeoutSeconds?: number;
}

/** What each command of a script printed; empty where it failed. */
export interface ScriptResult {
  readonly outputs: readonly string[];
  readonly errors: string;
}

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
  readonly timedOut: boolean;
}

/** Larger than the domain XML of a whole host's guests. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const PROGRESS_EVERY_MS = 500;
/** Cannot be given by a line of input. */
const CONTROL = /\p{Cc}/u;
/** As libvirt says it where a connection is cut; virsh that is killed says nothing. */
const CUT_OFF = 'End of file while reading data';
/** English, no kept history, and a line as wide as any, lest virsh breaks or scrolls the commands it echoes. */
const ENVIRONMENT = { LC_ALL: 'C', VIRSH_HISTSIZE: '0', TERM: 'dumb', COLUMNS: '1000000' };
/** What virsh, and the ssh that it starts, need of our own environment. The rest holds secrets of ours. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'TMPDIR',
  'XDG_RUNTIME_DIR',
  'SSH_AUTH_SOCK',
  'KRB5CCNAME',
];
/** A peer that is silent for `interval × count` seconds is given up. */
const OPTIONS = ['-q', '-k', '5', '-K', '3'];
/** The steps of a workflow follow each other sooner. */
const IDLE_SECONDS = 10;
/** Where virsh reads its input: a process of its own, and a session whose input has its commands. */
const STDIN = '/dev/stdin';

/**
 * The one way to libvirt: virsh, never a shell, with a time limit, and with errors turned into closed codes. Commands
 * go to a session that stays connected for a while; what is watched while it runs, or called off, has a process of its
 * own. libvirt's answers are read in the C locale.
 */
export class Virsh implements Disposable {
  private readonly gates = new Map<string, Gate>();
  private readonly atOnce: number;
  private readonly timeoutSeconds: number;
  /**
   * virsh keeps a history file; it gets an empty one here, so that no command is ever kept. In memory where the
   * system has a file system for that, for inputs pass through it too.
   */
  private readonly folder = mkdtempSync(
    join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'servery-virsh-'),
  );
  private inputs = 0;
  private isDisposed = false;
  /** By the URI of their host, the last used one at the end: sessions that wait, and the ends of their time. */
  private readonly idle = new Map<string, Map<VirshSession, NodeJS.Timeout>>();

  constructor(settings: VirshSettings = {}) {
    this.atOnce = settings.atOncePerHost ?? 8;
    this.timeoutSeconds = settings.timeoutSeconds ?? 30;
  }

  /** Runs one command; gives what it printed. Arguments may stand in the process list: no secrets here. */
  async run(host: HostRef, args: readonly string[], options: VirshOptions = {}): Promise<string> {
    const { input, onRead, signal, timeoutSeconds } = options;
    if (onRead || signal || args.some((arg) => CONTROL.test(arg))) {
      const ended = await this.spawn(host, args, options);
      if (ended.exitCode !== 0) throw classify(host, ended.stderr, args[0] ?? '');
      return ended.stdout;
    }
    const { outputs, errors } = await this.ask(host, [args], timeoutSeconds, input);
    if (/^error: /m.test(errors)) throw classify(host, errors, args[0] ?? '');
    return outputs[0] ?? '';
  }

  /**
   * Runs several commands, each whether or not those before it succeeded. They come over standard input, so they
   * stand in no process list. Arguments must be free of control characters.
   */
  async script(
    host: HostRef,
    commands: readonly (readonly string[])[],
    options: { readonly timeoutSeconds?: number } = {},
  ): Promise<ScriptResult> {
    return this.ask(host, commands, options.timeoutSeconds);
  }

  [Symbol.dispose](): void {
    this.isDisposed = true;
    for (const idle of this.idle.values()) for (const session of idle.keys()) session.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async ask(
    host: HostRef,
    commands: readonly (readonly string[])[],
    timeoutSeconds = this.timeoutSeconds,
    input?: string | Buffer,
  ): Promise<ScriptResult> {
    const fd = input === undefined ? undefined : this.openInput(input);
    const own = (arg: string) => (arg === STDIN && fd !== undefined ? `/proc/${process.pid}/fd/${fd}` : arg);
    const command = commands[0]?.[0] ?? '';
    try {
      const answer = await this.gate(host).pass(() =>
        this.inSession(host, (session) =>
          session.ask(
            commands.map((each) => each.map(own)),
            timeoutSeconds,
          ),
        ),
      );
      if (answer.end === 'late') throw tooLate(host, timeoutSeconds, command);
      if (answer.end === 'ended') throw classify(host, answer.errors || CUT_OFF, command);
      return answer;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  /** In a session that is idle, or a new one, which then waits for others to use it. */
  private async inSession(
    { uri }: HostRef,
    work: (session: VirshSession) => Promise<SessionAnswer>,
  ): Promise<SessionAnswer> {
    const session = this.takeIdle(uri) ?? (await this.connect(uri));
    const answer = await work(session);
    if (session.isUsable) this.rest(uri, session);
    return answer;
  }

  private takeIdle(uri: string): VirshSession | undefined {
    for (const [session, timer] of [...(this.idle.get(uri) ?? [])].toReversed()) {
      clearTimeout(timer);
      this.idle.get(uri)?.delete(session);
      if (session.isUsable) return session;
    }
    return undefined;
  }

  private rest(uri: string, session: VirshSession): void {
    if (this.isDisposed) {
      session.end();
      return;
    }
    const idle = this.idle.get(uri) ?? new Map<VirshSession, NodeJS.Timeout>();
    const timer = setTimeout(() => {
      idle.delete(session);
      session.end();
    }, IDLE_SECONDS * 1000).unref();
    this.idle.set(uri, idle.set(session, timer));
  }

  private connect(uri: string): Promise<VirshSession> {
    return VirshSession.start(withoutPrompts(uri), OPTIONS, this.environment()).catch((cause: unknown) => {
      throw cannotRun(cause);
    });
  }

  private async spawn(host: HostRef, args: readonly string[], options: VirshOptions): Promise<Ended> {
    const timeoutSeconds = options.timeoutSeconds ?? this.timeoutSeconds;
    const ended = await this.gate(host).pass(() => this.execute(host, args, options, timeoutSeconds));
    if (ended.timedOut) throw tooLate(host, timeoutSeconds, args[0] ?? '');
    return ended;
  }

  private gate({ uri }: HostRef): Gate {
    const gate = this.gates.get(uri) ?? new Gate(this.atOnce);
    this.gates.set(uri, gate);
    return gate;
  }

  private environment(): NodeJS.ProcessEnv {
    return { ...passedOn(), ...ENVIRONMENT, XDG_CACHE_HOME: this.folder };
  }

  private async execute(
    host: HostRef,
    args: readonly string[],
    { input, onRead, signal }: VirshOptions,
    timeoutSeconds: number,
  ): Promise<Ended> {
    const stdin = input === undefined ? 'ignore' : this.openInput(input);
    const child = spawn('virsh', [...OPTIONS, '-c', withoutPrompts(host.uri), ...args], {
      env: this.environment(),
      stdio: [stdin, 'pipe', 'pipe'],
      timeout: timeoutSeconds * 1000,
      killSignal: 'SIGKILL',
    });
    if (stdin !== 'ignore') closeSync(stdin);
    const ended = new Promise<Pick<Ended, 'exitCode' | 'timedOut'>>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode, killedBy) => resolve({ exitCode, timedOut: killedBy === 'SIGKILL' }));
    });
    const abort = () => child.kill('SIGKILL');
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    const watch = onRead && setInterval(() => void bytesRead(child.pid).then(onRead), PROGRESS_EVERY_MS);
    try {
      const [end, stdout, stderr] = await Promise.all([ended, collect(child.stdout), collect(child.stderr)]);
      return { ...end, stdout, stderr };
    } catch (cause) {
      throw cannotRun(cause);
    } finally {
      signal?.removeEventListener('abort', abort);
      clearInterval(watch);
    }
  }

  /**
   * A nameless file that only virsh can read. Not a pipe: Node's are sockets, which cannot be opened by a name.
   */
  private openInput(input: string | Buffer): number {
    this.inputs += 1;
    const path = join(this.folder, `input-${this.inputs}`);
    writeFileSync(path, input, { mode: 0o600, flag: 'wx' });
    try {
      return openSync(path, 'r');
    } finally {
      unlinkSync(path);
    }
  }
}

function tooLate(host: HostRef, seconds: number, command: string): HypervisorError {
  return new HypervisorError('host_timeout', `Host ${host.name} gave no answer within ${seconds} s.`, {
    details: { host: host.name, command },
  });
}

function cannotRun(cause: unknown): HypervisorError {
  return new HypervisorError('host_misconfigured', 'virsh cannot be run: install libvirt-clients.', {
    cause,
  });
}

function passedOn(): Record<string, string | undefined> {
  return Object.fromEntries(PASSED_ON.map((name) => [name, process.env[name]]));
}

/** What the kernel has counted for a process; 0 where it is gone. */
async function bytesRead(pid: number | undefined): Promise<number> {
  const counts = await readFile(`/proc/${pid}/io`, 'utf8').catch(() => '');
  return Number(/^rchar: (\d+)$/m.exec(counts)?.[1] ?? 0);
}

async function collect(stream: Readable | null): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of (stream ?? []) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= MAX_OUTPUT_BYTES) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** ssh must fail rather than ask for a password at a terminal that is not there. */
function withoutPrompts(uri: string): string {
  if (!/^qemu\+(ssh|libssh2?):/.test(uri) || uri.includes('no_tty=')) return uri;
  return `${uri}${uri.includes('?') ? '&' : '?'}no_tty=1`;
}
