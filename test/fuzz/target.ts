import type { Ground } from '../../libs/disk-files/planted.fixture.ts';
import type { Random } from './mutations.ts';

/** Something that reads what attackers write. */
export interface Target {
  /** The next input, and what is said of it where it fails. */
  next(random: Random): { readonly what: string; readonly bytes: Buffer };
  /** In this process. Throws what the real part would throw; a DomainError is as good as a result. */
  here(): unknown;
  /** The same of the same input as it is really run; whether it ends as it did here, if that can be said. */
  really(path: string): Promise<unknown>;
  /** How many runs in this process for each real one. */
  readonly reallyEvery: number;
  /** The real one ends as the one here does. */
  readonly isAlike: boolean;
}

export type MakeTarget = (at: Ground) => Promise<Target>;
