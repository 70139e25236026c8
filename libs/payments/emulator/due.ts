import type { Reference } from './world.ts';

/** Something that time brings about. `run` looks again whether it is still to happen. */
export interface Due {
  /** Unix seconds. */
  readonly at: number;
  readonly customer: Reference;
  readonly run: () => void;
}
