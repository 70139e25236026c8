/** The {@link PaymentProvider} of the app. */
export const PAYMENT_PROVIDER = Symbol('PaymentProvider');
/** The {@link Clock} by which cards expire and sweeps look back. */
export const PAYMENT_CLOCK = Symbol('PaymentClock');
