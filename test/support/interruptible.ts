/** What a program does while it may be interrupted at any moment. */
export interface Interruptible {
  /** Says that somebody does not want to wait for the end. */
  readonly signal: AbortSignal;
  /** Ends what was started, at the end or when it is interrupted; the last one first. It may be called for what has ended. */
  atEnd(end: () => Promise<unknown>): void;
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Does `work`, of which nothing is left, also after Ctrl-C: that ends the process, once all is cleaned up.
 * @throws what `work` or an end has thrown; the other ends come all the same
 */
export async function interruptible(work: (here: Interruptible) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const ends: (() => Promise<unknown>)[] = [];
  let cleaning: Promise<void> | undefined;
  const clean = async () => {
    const failures: unknown[] = [];
    for (const end of ends.toReversed()) await end().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
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
    await work({ signal: stop.signal, atEnd: (end) => void ends.push(end) });
  } finally {
    cleaning ??= clean();
    await cleaning;
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}
