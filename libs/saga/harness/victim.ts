import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bundled } from '../../../test/support/bundle.ts';
import type { Fault } from './faults.ts';
import type { WorldAddress } from './scenario.ts';

export interface ChildOrder {
  readonly sagaId: number;
  readonly faults: readonly Fault[];
}

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));

/** A child process that waits for its saga. One is kept warm ahead, since starting takes longer than dying. */
export class Victim {
  private readonly ready: Promise<void>;
  private said = '';

  private constructor(private readonly child: ChildProcess) {
    child.stderr?.on('data', (chunk: Buffer) => {
      this.said += chunk.toString();
    });
    this.ready = new Promise((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('exit', () => reject(new Error(`the child did not come up:\n${this.said}`)));
    });
    this.ready.catch(() => {});
  }

  static async start(scenarioModule: string, name: string, address: WorldAddress): Promise<Victim> {
    const scenarios = fileURLToPath(scenarioModule);
    const { pathOf, environment } = await bundled([CHILD, scenarios]);
    const child = fork(pathOf(CHILD), [pathOf(scenarios), name, JSON.stringify(address)], {
      execArgv: [],
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    return new Victim(child);
  }

  /** Lets the child run the saga until the planted fault kills it. @throws when it ended in any other way. */
  async die(order: ChildOrder): Promise<void> {
    await this.ready;
    const signal = await new Promise<NodeJS.Signals | null>((resolve) => {
      this.child.once('exit', (_code, by) => resolve(by));
      this.child.send(order);
    });
    if (signal !== 'SIGKILL') throw new Error(`the fault did not strike the child:\n${this.said}`);
  }

  dismiss(): void {
    this.child.kill('SIGKILL');
  }
}
