import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, writeSync } from 'node:fs';
import { chmod, chown } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { type ProcessEnd, signalOfExitCode } from '#libs/kernel';
import { controlGroup } from './control-group.ts';
import { ownRange, taskLimit, userNamespace } from './id-range.ts';
import { LineSplitter } from './line-splitter.ts';
import type { KeeperLine, WallEnd, WallOrder } from './order.ts';
import { INFO_FD, SYSTEM_CALLS_FD, sandboxCommand } from './sandbox-command.ts';
import { type Stage, setStage } from './stage.ts';
import { PATH } from './tool.ts';
import { exceeded, isAlive, isFull, usageIn } from './usage.ts';

/**
 * The keeper of the wall: a process in a mount namespace of its own, outside of the wall and with nothing else to do. It sets
 * the stage, runs one order behind the wall, passes on what that prints, and ends it at its limits, and when whoever started
 * it is gone. It has the wall's mounts and processes, all of which end with it.
 */

const WATCH_MILLISECONDS = 100;

function tell(line: KeeperLine): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

/** Whoever started us is gone, or wants it no more: our standard input has ended. */
const unwanted = new AbortController();

async function readOrder(): Promise<WallOrder> {
  const input = createInterface({ input: process.stdin });
  const [line] = await once(input, 'line');
  input.on('close', () => unwanted.abort());
  return JSON.parse(line) as WallOrder;
}

async function keep(order: WallOrder): Promise<WallEnd> {
  const range = ownRange(order.isRootless);
  const stage = await setStage(order, range);
  using namespace = await userNamespace(range, order.limits);
  using group = controlGroup(order, taskLimit(order.limits));
  const [program = '', ...args] = sandboxCommand(order, stage, namespace.path, group?.enter);
  const systemCalls = openSync(stage.systemCalls, 'r');
  unwanted.signal.throwIfAborted();
  const stdio = Array.from({ length: INFO_FD + 1 }, (_, fd) =>
    fd === SYSTEM_CALLS_FD ? systemCalls : 'pipe',
  );
  const child = spawn(program, args, { cwd: '/', env: { PATH }, stdio: stdio as 'pipe'[] });
  const watch = new Watch(order, stage, child);
  unwanted.signal.addEventListener('abort', () => watch.kill());
  const [exitCode, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  const end = await watch.end({ exitCode, signal: signal ?? signalOfExitCode(exitCode) ?? null });
  // Ours again, who made them.
  for (const { from } of order.handed) {
    await chown(from, 0, 0);
    await chmod(from, 0o600);
  }
  return group?.ranOutOfMemory() ? { ...end, stoppedBy: 'memory' } : end;
}

/** Passes on and counts what a child prints, and kills it where it goes beyond a limit. */
class Watch {
  readonly #order: WallOrder;
  readonly #stage: Stage;
  readonly #child: ChildProcess;
  readonly #begun = performance.now();
  readonly #timer: NodeJS.Timeout;
  #stoppedBy: WallEnd['stoppedBy'] = null;
  #printedBytes = 0;
  #stands = false;
  /** What our own tools say before. */
  #complaint = '';
  /** Of their process namespace. */
  #firstProcess: string | undefined;
  #diskWasFull = false;

  constructor(order: WallOrder, stage: Stage, child: ChildProcess) {
    this.#order = order;
    this.#stage = stage;
    this.#child = child;
    this.#timer = setInterval(() => this.#look(), WATCH_MILLISECONDS);
    child.stdin?.on('error', () => {});
    for (const stream of [child.stdout, child.stderr]) this.#passOn(stream as Readable);
    (child.stdio[INFO_FD] as Readable).on('data', (bytes) => {
      const id = /"child-pid": (\d+)/.exec(String(bytes))?.[1];
      if (id !== undefined) this.#firstProcess = `/proc/${id}`;
    });
  }

  /** When the last process behind the wall is gone. */
  async end(ended: ProcessEnd): Promise<WallEnd> {
    clearInterval(this.#timer);
    while (this.#firstProcess !== undefined && isAlive(this.#firstProcess)) await pause(10);
    this.#lookAtDisk();
    if (!this.#stands && this.#stoppedBy === null) throw new Error(`no sandbox: ${this.#complaint}`);
    return { ...ended, stoppedBy: this.#stoppedBy, diskWasFull: this.#diskWasFull };
  }

  #passOn(stream: Readable): void {
    const lines = new LineSplitter();
    stream.on('data', (bytes: Buffer) => {
      this.#printedBytes += bytes.length;
      if (this.#printedBytes > this.#order.limits.logBytes) return this.#stop('output');
      for (const line of lines.split(bytes)) this.#heard(line);
    });
    stream.on('end', () => {
      for (const line of lines.rest()) this.#heard(line);
    });
  }

  /** The first line is the wall's own and empty; only then is there anybody to speak to. */
  #heard(line: string): void {
    if (!this.#stands && line === '') {
      this.#stands = true;
      this.#child.stdin?.end(`\n${this.#order.input}`);
    } else if (this.#stands) tell({ said: line });
    else this.#complaint += `${line.slice(0, 200)}\n`;
  }

  #look(): void {
    if (performance.now() - this.#begun > this.#order.limits.wallSeconds * 1000) this.#stop('wall_time');
    this.#lookAtDisk();
    // Before the wall stands, that would still be all processes of this machine.
    if (this.#firstProcess === undefined || !this.#stands) return;
    const limit = exceeded(usageIn(`${this.#firstProcess}/root/proc`), this.#order);
    if (limit !== null) this.#stop(limit);
  }

  #lookAtDisk(): void {
    this.#diskWasFull ||= isFull(this.#stage.builderDisk);
  }

  /**
   * The first process of their namespace dies with bubblewrap, and all the others with that one. Before the wall stands it
   * would wait for a bubblewrap that is gone, for ever; what finds nobody to speak to when it stands ends by itself.
   */
  kill(): void {
    if (this.#stands) this.#child.kill('SIGKILL');
    else this.#child.stdin?.destroy();
  }

  #stop(why: NonNullable<WallEnd['stoppedBy']>): void {
    this.#stoppedBy ??= why;
    this.kill();
  }
}

// Of whoever may look: what we make on the stage is for another user.
process.umask(0o022);
try {
  tell({ end: await keep(await readOrder()) });
  process.exit(0);
} catch (error) {
  tell({ unavailable: error instanceof Error ? error.message : String(error) });
  process.exit(1);
}
