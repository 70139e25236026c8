import type { DataSource } from 'typeorm';
import type { CookStage } from './cook.entity.ts';
import { addOutput } from './cook-output.ts';
import type { CookWatch } from './image-cook.ts';

/** How often what a cook says is written down, and whether it was cancelled is asked. */
const WRITE_MILLISECONDS = 1000;
/** More than that in a second is cut: nobody reads it, and a loop of a maintainer script is no reason to run out of memory. */
const MOST_WAITING_BYTES = 256 * 1024;

export interface WatchedCook {
  readonly dataSource: DataSource;
  readonly cookId: number;
  readonly actionId: number | null;
  /** Of the step. */
  readonly signal: AbortSignal;
  /** Where its part of the whole begins and ends, in percent. */
  readonly from: number;
  readonly to: number;
  readonly onWriteFailed: (error: unknown) => void;
}

/** Why a watched piece of work was ended from outside. */
export type CookEnd = 'cancelled' | 'late';

/**
 * Does a piece of a cook while what it says is written down each second, for those who follow it. `stopped` is asked as
 * often, with the seconds that the work took since, and ends it; while its stage is `waiting`, it does not work. @throws what
 * the work throws; `stopped` gives the reason where it was ended by us
 */
export async function watchCook<T>(
  watched: WatchedCook,
  stopped: (workedSeconds: number) => Promise<CookEnd | undefined>,
  work: (watch: CookWatch) => Promise<T>,
): Promise<{ readonly done: T } | { readonly ended: CookEnd }> {
  const report = new CookReport(watched);
  const stop = new AbortController();
  let ended: CookEnd | undefined;
  let turn = Promise.resolve();
  const look = () => {
    turn = turn
      .then(async () => {
        await report.write();
        ended ??= await stopped(report.takeWorkedSeconds());
        if (ended) stop.abort();
      })
      .catch(watched.onWriteFailed);
  };
  const timer = setInterval(look, WRITE_MILLISECONDS);
  try {
    const signal = AbortSignal.any([watched.signal, stop.signal]);
    return { done: await work({ signal, ...report.listeners }) };
  } catch (error) {
    if (ended && !watched.signal.aborted) return { ended };
    throw error;
  } finally {
    clearInterval(timer);
    await turn;
    await report.write().catch(watched.onWriteFailed);
  }
}

/** What was said and is not written yet. */
class CookReport {
  private readonly watched: WatchedCook;
  private lines: string[] = [];
  private waitingBytes = 0;
  private cutBytes = 0;
  private progress: { stage: CookStage; percent: number; message: string } | undefined;
  private stage: CookStage | undefined;
  private workedMs = 0;
  private lastMs = performance.now();

  constructor(watched: WatchedCook) {
    this.watched = watched;
  }

  get listeners(): Pick<CookWatch, 'onLine' | 'onProgress'> {
    return {
      onLine: (line) => {
        const bytes = Buffer.byteLength(line) + 1;
        if (this.waitingBytes + bytes > MOST_WAITING_BYTES) {
          this.cutBytes += bytes;
          return;
        }
        this.waitingBytes += bytes;
        this.lines.push(line);
      },
      onProgress: (progress) => {
        this.count();
        this.progress = progress;
        this.stage = progress.stage;
      },
    };
  }

  /** Since it was last asked for. */
  takeWorkedSeconds(): number {
    this.count();
    const seconds = this.workedMs / 1000;
    this.workedMs = 0;
    return seconds;
  }

  private count(): void {
    const now = performance.now();
    if (this.stage !== 'waiting') this.workedMs += now - this.lastMs;
    this.lastMs = now;
  }

  async write(): Promise<void> {
    const { lines, progress, cutBytes } = this;
    [this.lines, this.waitingBytes, this.cutBytes, this.progress] = [[], 0, 0, undefined];
    const { dataSource, cookId } = this.watched;
    if (lines.length > 0) {
      await addOutput(dataSource.manager, cookId, { bytes: Buffer.from(`${lines.join('\n')}\n`), cutBytes });
    }
    if (progress) await this.writeProgress(progress);
  }

  /** Percent only grow: a cook that begins again keeps the mark that it had reached. */
  private async writeProgress({ stage, percent, message }: NonNullable<CookReport['progress']>) {
    const { dataSource, cookId, actionId, from, to } = this.watched;
    const whole = Math.floor(from + ((to - from) * percent) / 100);
    await dataSource.query(
      `WITH action AS (UPDATE actions SET progress = greatest(progress, $4) WHERE id = $5 AND status = 'running')
       UPDATE cooks SET stage = $2, message = left($3, 200), percent = greatest(percent, $4)
       WHERE id = $1 AND finished_at IS NULL`,
      [cookId, stage, message.replaceAll('\0', ''), whole, actionId],
    );
  }
}
