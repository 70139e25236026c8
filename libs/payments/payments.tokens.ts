/** The {@link PaymentProvider} of the app. */
export const PAYMENT_PROVIDER = Symbol('PaymentProvider');
/** The {@link Clock} of everything that has to do with money: a {@link MoneyClock} in the apps. */
export const MONEY_CLOCK = Symbol('MoneyClock');
