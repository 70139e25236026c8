import { closeSync, existsSync, mkdtempSync, openSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HypervisorError } from '../hypervisor.errors.ts';
import type { HostRef } from '../port/hosts.ts';
import { Gate } from './gate.ts';
import { classify } from './virsh-errors.ts';
import { type SessionAnswer, VirshSession } from './virsh-session.ts';

export interface VirshOptions {
  readonly timeoutSeconds?: number;
  /** What virsh reads where an argument is /dev/stdin. */
  readonly input?: string | Buffer;
  /** Is told now and then how many bytes virsh has read for this call. */
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
/** Stands in a command for the file of its input. */
const STDIN = '/dev/stdin';

/**
 * The one way to libvirt: virsh, never a shell, with a time limit, and with errors turned into closed codes. Commands
 * come over the standard input of a session that stays connected for a while, so they stand in no process list. libvirt's
 * answers are read in the C locale.
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

  /** Runs one command; gives what it printed. */
  async run(host: HostRef, args: readonly string[], options: VirshOptions = {}): Promise<string> {
    const { outputs, errors } = await this.ask(host, [args], options);
    if (/^error: /m.test(errors)) throw classify(host, errors, args[0] ?? '');
    return outputs[0] ?? '';
  }

  /** Runs several commands, each whether or not those before it succeeded. */
  async script(
    host: HostRef,
    commands: readonly (readonly string[])[],
    options: { readonly timeoutSeconds?: number } = {},
  ): Promise<ScriptResult> {
    return this.ask(host, commands, options);
  }

  [Symbol.dispose](): void {
    this.isDisposed = true;
    for (const idle of this.idle.values()) for (const session of idle.keys()) session.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async ask(
    host: HostRef,
    commands: readonly (readonly string[])[],
    { timeoutSeconds = this.timeoutSeconds, input, ...watched }: VirshOptions,
  ): Promise<ScriptResult> {
    const command = commands[0]?.[0] ?? '';
    if (commands.flat().some((argument) => CONTROL.test(argument))) {
      throw new HypervisorError('invalid_spec', `${command} cannot be given a control character.`);
    }
    const fd = input === undefined ? undefined : this.openInput(input);
    const own = (argument: string) =>
      argument === STDIN && fd !== undefined ? `/proc/${process.pid}/fd/${fd}` : argument;
    const lines = commands.map((each) => each.map(own));
    try {
      const answer = await this.gate(host).pass(() =>
        this.inSession(host, (session) => session.ask(lines, { timeoutSeconds, ...watched })),
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
    const env = { ...passedOn(), ...ENVIRONMENT, XDG_CACHE_HOME: this.folder };
    return VirshSession.start(withoutPrompts(uri), OPTIONS, env).catch((cause: unknown) => {
      const message = 'virsh cannot be run: install libvirt-clients.';
      throw new HypervisorError('host_misconfigured', message, { cause });
    });
  }

  private gate({ uri }: HostRef): Gate {
    const gate = this.gates.get(uri) ?? new Gate(this.atOnce);
    this.gates.set(uri, gate);
    return gate;
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

function passedOn(): Record<string, string | undefined> {
  return Object.fromEntries(PASSED_ON.map((name) => [name, process.env[name]]));
}

/** ssh must fail rather than ask for a password at a terminal that is not there. */
function withoutPrompts(uri: string): string {
  if (!/^qemu\+(ssh|libssh2?):/.test(uri) || uri.includes('no_tty=')) return uri;
  return `${uri}${uri.includes('?') ? '&' : '?'}no_tty=1`;
}
