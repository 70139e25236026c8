import type { DeclineCode } from './payments.errors.ts';

/** What every call that changes something at the provider carries. */
export interface Keyed {
  /** 1–255 characters; stored by the caller before the call. */
  readonly idempotencyKey: string;
}

/** Why a card was refused. */
export interface Decline {
  readonly code: DeclineCode;
  /** The same card will be refused again: do not try. */
  readonly isFinal: boolean;
}
