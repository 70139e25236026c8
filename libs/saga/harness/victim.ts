import { type ChildProcess, fork } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Fault } from './faults.ts';
import type { WorldAddress } from './scenario.ts';

export interface ChildOrder {
  readonly sagaId: number;
  readonly faults: readonly Fault[];
}

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));
const LOADER = new URL('../../../test/support/swc-register.ts', import.meta.url).href;

/** A child process that waits for its saga. One is kept warm ahead, since starting takes longer than dying. */
export class Victim {
  private readonly child: ChildProcess;
  private readonly ready: Promise<void>;
  private said = '';

  constructor(scenarioModule: string, name: string, address: WorldAddress) {
    this.child = fork(CHILD, [scenarioModule, name, JSON.stringify(address)], {
      execArgv: ['--conditions=source', '--import', LOADER],
      env: { NODE_COMPILE_CACHE: join(tmpdir(), 'servery-compile-cache'), ...process.env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.said += chunk.toString();
    });
    this.ready = new Promise((resolve, reject) => {
      this.child.once('message', () => resolve());
      this.child.once('exit', () => reject(new Error(`the child did not come up:\n${this.said}`)));
    });
    this.ready.catch(() => {});
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
