export { type StripeOptions, StripeProvider } from './stripe.provider.ts';
