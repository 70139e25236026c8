import type { Moment as StepMoment } from '#libs/saga/harness';

/** Where a worker dies: in a step of a saga, or while it tells the books what an event means. */
export interface Death {
  readonly saga: string;
  readonly step: string;
  readonly moment: StepMoment;
  /** The how-manyeth time that it comes by there. */
  readonly passing: number;
}

/** What a worker needs to know of the world. */
export interface WorkerAddress {
  readonly databaseUrl: string;
  readonly stripePort: number;
  readonly timeoutMilliseconds: number;
}

export type Order =
  | { readonly kind: 'clock'; readonly aheadMilliseconds: number }
  | { readonly kind: 'die'; readonly death: Death }
  | { readonly kind: 'work' };

/** The name under which the handling of events stands among the sagas. */
export const EVENTS = 'events';
