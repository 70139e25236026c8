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

export interface VirshOptions {
  readonly timeoutSeconds?: number;
  /** What virsh reads at /dev/stdin. */
  readonly input?: string | Buffer;
  /** Is told now and then how many bytes virsh has read from files, its own libraries included. */
  readonly onRead?: (bytes: number) => void;
  /** Ends virsh, as if its time were up. What it asked for may go on at the host. */
  readonly signal?: AbortSignal;
}

export interface VirshSettings {
  /** How many virsh processes may work on one host at once. */
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
const KEEPALIVE = ['-k', '5', '-K', '3'];

/**
 * The one way to libvirt: a virsh process with an argument array, never a shell, with a time limit, and with
 * errors turned into closed codes. libvirt's answers are read in the C locale.
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

  constructor(settings: VirshSettings = {}) {
    this.atOnce = settings.atOncePerHost ?? 8;
    this.timeoutSeconds = settings.timeoutSeconds ?? 30;
  }

  /** Runs one command; gives what it printed. Arguments stand in the process list: no secrets here. */
  async run(host: HostRef, args: readonly string[], options: VirshOptions = {}): Promise<string> {
    const ended = await this.spawn(host, args, options);
    if (ended.exitCode !== 0) throw classify(host, ended.stderr, args[0] ?? '');
    return ended.stdout;
  }

  /**
   * Runs several commands in one process, each whether or not those before it succeeded. They come over
   * standard input, so they stand in no process list. Arguments must be free of control characters.
   */
  async script(
    host: HostRef,
    commands: readonly (readonly string[])[],
    options: { readonly timeoutSeconds?: number } = {},
  ): Promise<ScriptResult> {
    const lines = commands.map((command) => command.map(quote).join(' '));
    const ended = await this.spawn(host, [], { ...options, input: `${lines.join('\n')}\n` });
    if (ended.exitCode !== 0) throw classify(host, ended.stderr, commands[0]?.[0] ?? '');
    return { outputs: splitAtPrompts(ended.stdout, commands.length), errors: ended.stderr };
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async spawn(host: HostRef, args: readonly string[], options: VirshOptions): Promise<Ended> {
    let gate = this.gates.get(host.uri);
    if (!gate) {
      gate = new Gate(this.atOnce);
      this.gates.set(host.uri, gate);
    }
    const timeoutSeconds = options.timeoutSeconds ?? this.timeoutSeconds;
    const ended = await gate.pass(() => this.execute(host, args, options, timeoutSeconds));
    if (!ended.timedOut) return ended;
    throw new HypervisorError(
      'host_timeout',
      `Host ${host.name} gave no answer within ${timeoutSeconds} s.`,
      {
        details: { host: host.name, command: args[0] ?? 'script' },
      },
    );
  }

  private async execute(
    host: HostRef,
    args: readonly string[],
    { input, onRead, signal }: VirshOptions,
    timeoutSeconds: number,
  ): Promise<Ended> {
    const env = { ...passedOn(), ...ENVIRONMENT, XDG_CACHE_HOME: this.folder };
    const stdin = input === undefined ? 'ignore' : this.openInput(input);
    const child = spawn('virsh', ['-q', ...KEEPALIVE, '-c', withoutPrompts(host.uri), ...args], {
      env,
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
      throw new HypervisorError('host_misconfigured', 'virsh cannot be run: install libvirt-clients.', {
        cause,
      });
    } finally {
      signal?.removeEventListener('abort', abort);
      clearInterval(watch);
    }
  }

  /**
   * A nameless file that only virsh can read. Not a pipe: Node's are sockets, which cannot be opened as
   * /dev/stdin.
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

/** As virsh's own parser reads it back. */
function quote(argument: string): string {
  return `"${argument.replace(/[\\"]/g, '\\$&')}"`;
}

/** virsh echoes each command after its prompt, on a line of its own. */
function splitAtPrompts(stdout: string, count: number): string[] {
  const parts = stdout.split(/^virsh # [^\n]*\n?/m).slice(1);
  return Array.from({ length: count }, (_, index) => parts[index] ?? '');
}
