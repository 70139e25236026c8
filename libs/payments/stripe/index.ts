export { type StripeOptions, StripeProvider } from './stripe.provider.ts';
export { isEmulated, stripeOptions } from './stripe-from-environment.ts';
