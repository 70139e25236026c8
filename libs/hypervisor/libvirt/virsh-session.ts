import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';

/** What came of the commands; `ended` where virsh went away before it had answered, `late` where time was up. */
export interface SessionAnswer {
  readonly end: 'answered' | 'ended' | 'late';
  /** What each command printed; empty where it failed. */
  readonly outputs: readonly string[];
  readonly errors: string;
}

export interface SessionCall {
  readonly timeoutSeconds: number;
  /** Is told now and then how many bytes virsh has read for this call. */
  readonly onRead?: (bytes: number) => void;
  /** Ends the session. */
  readonly signal?: AbortSignal;
}

const PROMPT = 'virsh # ';
/** Larger than the domain XML of a whole host's guests. */
const MAX_OUTPUT_CHARACTERS = 64 * 1024 * 1024;
const PROGRESS_EVERY_MS = 500;

/**
 * A virsh that stays connected to a host and reads commands from its standard input, one call at a time: to connect
 * anew for each costs more than most of them do, by SSH a whole handshake.
 */
export class VirshSession {
  private readonly child: ChildProcessWithoutNullStreams;
  private output: string[] = [];
  private length = 0;
  private tail = '';
  private errors = '';
  /** Between two calls; not before the first, in whose time it connects. */
  private isIdle = false;
  private isOver = false;
  private changed: () => void = () => {};

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.hear(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
      // What virsh says unasked is that its connection broke.
      if (this.isIdle) this.end();
      this.changed();
    });
    // A virsh that is gone says so by its end.
    child.stdin.on('error', () => {});
    child.once('close', () => {
      this.isOver = true;
      this.changed();
    });
    this.holdProcess(false);
  }

  /** @throws Error (rejects) when there is no virsh to run */
  static async start(uri: string, options: readonly string[], env: NodeJS.ProcessEnv): Promise<VirshSession> {
    const child = spawn('virsh', [...options, '-c', uri], { env });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    return new VirshSession(child);
  }

  /** Whether it can be asked again. */
  get isUsable(): boolean {
    return !this.isOver && this.isIdle;
  }

  /** Runs each command, whether or not those before it succeeded. Arguments must be free of control characters. */
  async ask(
    commands: readonly (readonly string[])[],
    { timeoutSeconds, onRead, signal }: SessionCall,
  ): Promise<SessionAnswer> {
    const token = `end-${randomUUID()}`;
    const lines = [...commands.map((command) => command.map(quote).join(' ')), `echo --err ${token}`];
    this.isIdle = false;
    this.holdProcess(true);
    const calledOff = () => this.end();
    signal?.addEventListener('abort', calledOff, { once: true });
    if (signal?.aborted) this.end();
    const watch = onRead && (await this.watchReading(onRead));
    this.child.stdin.write(`${lines.join('\n')}\necho ${token}\n`);
    const isAtEnd = new RegExp(`echo ${token}\n${token}\n?${PROMPT}$`);
    const isLate = await this.until(
      () => isAtEnd.test(this.tail) && this.errors.includes(token),
      timeoutSeconds,
    );
    clearInterval(watch);
    signal?.removeEventListener('abort', calledOff);
    const outputs = splitAtPrompts(this.output.join(''), commands.length);
    // virsh writes its usual beginning of an error before what it is told to echo.
    const errors = this.errors.replace(new RegExp(`(error: )?${token}\n`), '');
    const isAnswered = !isLate && !this.isOver;
    if (!isAnswered) this.end();
    this.output = [PROMPT];
    this.length = 0;
    this.errors = '';
    this.isIdle = true;
    this.holdProcess(false);
    return { end: isLate ? 'late' : isAnswered ? 'answered' : 'ended', outputs, errors };
  }

  /** Ends virsh at once. What it asked for may go on at the host. */
  end(): void {
    this.isOver = true;
    this.child.kill('SIGKILL');
  }

  private hear(text: string): void {
    this.length += text.length;
    if (this.length <= MAX_OUTPUT_CHARACTERS) this.output.push(text);
    this.tail = (this.tail + text).slice(-200);
    this.changed();
  }

  private async watchReading(onRead: (bytes: number) => void): Promise<NodeJS.Timeout> {
    const before = await bytesRead(this.child.pid);
    const look = () => bytesRead(this.child.pid).then((bytes) => onRead(Math.max(0, bytes - before)));
    return setInterval(() => void look(), PROGRESS_EVERY_MS);
  }

  /** @returns whether time was up before `isThere`, or the end, came */
  private async until(isThere: () => boolean, timeoutSeconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (isLate: boolean) => {
        clearTimeout(timer);
        this.changed = () => {};
        resolve(isLate);
      };
      const timer = setTimeout(() => done(true), timeoutSeconds * 1000);
      this.changed = () => {
        if (this.isOver || isThere()) done(false);
      };
      this.changed();
    });
  }

  /** An idle session keeps no program from ending; virsh ends with its standard input. */
  private holdProcess(isHeld: boolean): void {
    const { stdin, stdout, stderr } = this.child;
    for (const one of [this.child, stdin as Socket, stdout as Socket, stderr as Socket])
      if (isHeld) one.ref();
      else one.unref();
  }
}

/** What the kernel has counted for a process; 0 where it is gone. */
async function bytesRead(pid: number | undefined): Promise<number> {
  const counts = await readFile(`/proc/${pid}/io`, 'utf8').catch(() => '');
  return Number(/^rchar: (\d+)$/m.exec(counts)?.[1] ?? 0);
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
