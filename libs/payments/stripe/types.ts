/** Stripe's own types, for the emulator to be held against; no code of the client comes along. */
export type { Stripe } from 'stripe';
