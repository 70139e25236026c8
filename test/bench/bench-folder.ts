import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where a bench works. */
export interface BenchFolder {
  readonly path: string;
  /** Says that somebody does not want to wait for the end. */
  readonly signal: AbortSignal;
  /** Ends what was started, before the folder goes; the last one first. */
  atEnd(end: () => Promise<unknown>): void;
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** Gives `work` a temporary folder. Neither it nor what was started in it is left, also after Ctrl-C. */
export async function withBenchFolder(work: (folder: BenchFolder) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), 'servery-bench-'));
  const stop = new AbortController();
  const ends: (() => Promise<unknown>)[] = [];
  let cleaning: Promise<void> | undefined;
  const clean = async () => {
    for (const end of ends.toReversed()) await end();
    await rm(path, { recursive: true, force: true });
  };
  const interrupted = async (name: keyof typeof EXIT_CODES) => {
    console.error(`stopped by ${name}, cleaning up`);
    stop.abort(new Error(`stopped by ${name}`));
    cleaning ??= clean();
    await cleaning.catch((error: unknown) => console.error(error));
    process.exit(EXIT_CODES[name]);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    await work({ path, signal: stop.signal, atEnd: (end) => void ends.push(end) });
  } finally {
    cleaning ??= clean();
    await cleaning;
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}
