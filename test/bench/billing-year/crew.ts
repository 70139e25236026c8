import { type ChildProcess, fork } from 'node:child_process';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { DataSource } from 'typeorm';
import { type Bundle, bundled } from '../../support/bundle.ts';
import type { Death, Order, WorkerAddress } from './messages.ts';

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));

interface Worker {
  readonly child: ChildProcess;
  readonly ready: Promise<void>;
  said: string;
}

/** Worker processes, each of which may be killed; another one, kept warm, then takes its place. */
export class Crew {
  kills = 0;
  /** What went wrong with a worker that nobody had killed. */
  readonly accidents: string[] = [];
  #bundle: Bundle | undefined;
  #working: Worker[] = [];
  #spare: Worker | undefined;
  #isOver = false;
  #aheadMilliseconds = 0;
  #changes: Promise<void> = Promise.resolve();

  constructor(
    private readonly dataSource: DataSource,
    private readonly address: WorkerAddress,
    private readonly size = 2,
  ) {}

  async start(): Promise<void> {
    this.#bundle = await bundled([WORKER]);
    for (let count = 0; count < this.size; count += 1) await this.#hire();
  }

  /** How far the emulator's clock is ahead of the machine's. */
  setClock(aheadMilliseconds: number): void {
    this.#aheadMilliseconds = aheadMilliseconds;
    for (const worker of this.#working) tell(worker, { kind: 'clock', aheadMilliseconds });
  }

  /** One of the workers is to die there. */
  doom(death: Death, which: number): void {
    const worker = this.#working[which % this.#working.length];
    if (worker) tell(worker, { kind: 'die', death });
  }

  /** Nobody is doomed any more: dead men's work has been taken over, and it is finished. */
  async reprieve(): Promise<void> {
    await this.#changes;
    for (const worker of this.#working) {
      tell(worker, { kind: 'die', death: { saga: '', step: '', moment: 'before', passing: 1 } });
    }
  }

  /** A worker dies at once, whatever it is at. */
  kill(which: number): void {
    this.#working[which % this.#working.length]?.child.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#changes;
    for (const { child } of [...this.#working, ...(this.#spare ? [this.#spare] : [])]) child.kill('SIGKILL');
  }

  async #hire(): Promise<void> {
    const worker = this.#spare ?? this.#fork();
    this.#spare = undefined;
    await worker.ready;
    if (this.#isOver) return;
    worker.child.once('exit', (code, signal) => {
      this.#changes = this.#changes.then(() => this.#bury(worker, code, signal));
    });
    this.#working.push(worker);
    tell(worker, { kind: 'clock', aheadMilliseconds: this.#aheadMilliseconds });
    tell(worker, { kind: 'work' });
    this.#spare = this.#fork();
  }

  /** The dead hold nothing: what they had begun may be taken over at once. */
  async #bury(worker: Worker, code: number | null, signal: string | null): Promise<void> {
    if (this.#isOver) return;
    this.#working = this.#working.filter((other) => other !== worker);
    if (signal === 'SIGKILL') this.kills += 1;
    else this.accidents.push(`a worker ended by ${signal ?? code}: ${worker.said}`);
    await this.dataSource.query(
      `UPDATE sagas SET lease_until = now() - interval '1 second' WHERE lease_owner = $1 AND finished_at IS NULL`,
      [`${hostname()}/${worker.child.pid}`],
    );
    await this.#hire();
  }

  #fork(): Worker {
    if (!this.#bundle) throw new Error('the crew has not been started');
    const { pathOf, environment } = this.#bundle;
    const child = fork(pathOf(WORKER), [JSON.stringify(this.address)], {
      execArgv: [],
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const ready = new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('exit', () => reject(new Error(`a worker did not come up:\n${worker.said}`)));
    });
    ready.catch(() => {});
    const worker: Worker = { child, ready, said: '' };
    child.stderr?.on('data', (chunk: Buffer) => {
      worker.said = (worker.said + chunk.toString()).slice(-4000);
    });
    return worker;
  }
}

function tell({ child }: Worker, order: Order): void {
  if (child.connected) child.send(order, () => {});
}
