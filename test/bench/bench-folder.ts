import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Interruptible, interruptible } from '../support/interruptible.ts';

/** Where a bench works. */
export interface BenchFolder extends Interruptible {
  readonly path: string;
}

/** Gives `work` a temporary folder. Neither it nor what was started in it is left, also after Ctrl-C. */
export function withBenchFolder(work: (folder: BenchFolder) => Promise<void>): Promise<void> {
  return interruptible(async (here) => {
    const path = await mkdtemp(join(tmpdir(), 'servery-bench-'));
    here.atEnd(() => rm(path, { recursive: true, force: true }));
    await work({ path, ...here });
  });
}
