import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HypervisorError } from '../hypervisor.errors.ts';
import type { HostRef } from '../port.ts';
import { Gate } from './gate.ts';
import { classify } from './virsh-errors.ts';

export interface VirshOptions {
  readonly timeoutSeconds?: number;
  /** What virsh reads at /dev/stdin. */
  readonly input?: string | Buffer | Readable;
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
  /** virsh keeps a history file; it gets an empty one of its own, so that no command is ever kept. */
  private readonly cache = mkdtempSync(join(tmpdir(), 'servery-virsh-'));

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
    rmSync(this.cache, { recursive: true, force: true });
  }

  private async spawn(host: HostRef, args: readonly string[], options: VirshOptions): Promise<Ended> {
    let gate = this.gates.get(host.uri);
    if (!gate) {
      gate = new Gate(this.atOnce);
      this.gates.set(host.uri, gate);
    }
    const timeoutSeconds = options.timeoutSeconds ?? this.timeoutSeconds;
    const ended = await gate.pass(() => this.execute(host, args, options.input, timeoutSeconds));
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
    input: VirshOptions['input'],
    timeoutSeconds: number,
  ): Promise<Ended> {
    const env = { ...process.env, LC_ALL: 'C', XDG_CACHE_HOME: this.cache, VIRSH_HISTSIZE: '0' };
    const child = spawn('virsh', ['-q', ...KEEPALIVE, '-c', withoutPrompts(host.uri), ...args], {
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: timeoutSeconds * 1000,
      killSignal: 'SIGKILL',
    });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    const closed = new Promise<Pick<Ended, 'exitCode' | 'timedOut'>>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode, signal) => resolve({ exitCode, timedOut: signal === 'SIGKILL' }));
    });
    // A virsh that ends early breaks the pipe; its exit code and words say why, so that error is not one.
    const fed = feed(input, child.stdin).catch(() => undefined);
    const [end] = await Promise.all([closed, fed]).catch((cause: unknown) => {
      throw new HypervisorError('host_misconfigured', 'virsh cannot be run: install libvirt-clients.', {
        cause,
      });
    });
    return { ...end, stdout: await stdout, stderr: await stderr };
  }
}

async function feed(input: VirshOptions['input'], stdin: NodeJS.WritableStream): Promise<void> {
  if (input !== undefined && typeof input !== 'string' && !Buffer.isBuffer(input))
    return pipeline(input, stdin);
  await new Promise<void>((resolve, reject) => {
    stdin.once('error', reject);
    stdin.end(input ?? '', () => resolve());
  });
}

async function collect(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
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
  const parts = stdout.split(/^virsh # .*$\n?/m).slice(1);
  return Array.from({ length: count }, (_, index) => parts[index] ?? '');
}
