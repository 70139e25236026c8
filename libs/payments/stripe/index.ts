export { type StripeOptions, StripeProvider } from './stripe.provider.ts';
export { stripeOptions } from './stripe-from-environment.ts';
