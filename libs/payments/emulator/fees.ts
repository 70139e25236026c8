/** What the emulator takes for its services. */
export interface Fees {
  /** Of each payment, in hundredths of a percent, rounded half up. */
  readonly basisPoints: number;
  /** Of each payment, in minor units, besides. */
  readonly fixedMinor: number;
  /** Of each dispute that takes money; it is not given back when the dispute is won. */
  readonly disputeMinor: number;
}

/** Stripe's for cards of the European Economic Area. Source: stripe.com/pricing. */
export const USUAL_FEES: Fees = { basisPoints: 150, fixedMinor: 25, disputeMinor: 2000 };
