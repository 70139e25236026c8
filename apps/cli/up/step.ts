import type { Up } from './up.ts';

/** Shows what a step is doing at this moment. */
export type Progress = (line: string) => void;

/** One thing that `up` brings about. Each finds out what stands already, so that it can be repeated after a kill. */
export interface Step {
  readonly title: string;
  /** The log that tells more when it fails, by its name in `<folder>/log`. */
  readonly log?: string;
  /** @returns what it came to, in a few words, where that says more than the title. */
  run(up: Up, progress: Progress): Promise<string | undefined>;
}
