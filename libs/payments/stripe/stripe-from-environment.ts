import type { Environment } from '#libs/config';
import type { StripeOptions } from './stripe.provider.ts';

/** Whether no real money can move: another server than Stripe's answers, and the key is a test key. */
export function isEmulated({ STRIPE_API_HOST, STRIPE_SECRET_KEY }: Environment): boolean {
  return STRIPE_API_HOST !== undefined && STRIPE_SECRET_KEY.startsWith('sk_test_');
}

/** Stripe as the environment names it; another server than Stripe's is the emulator, on plain HTTP. */
export function stripeOptions(environment: Environment): StripeOptions {
  const { STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_API_HOST, STRIPE_API_PORT } = environment;
  return {
    secretKey: STRIPE_SECRET_KEY,
    webhookSecret: STRIPE_WEBHOOK_SECRET,
    ...(STRIPE_API_HOST !== undefined && {
      server: { host: STRIPE_API_HOST, port: STRIPE_API_PORT ?? 80, protocol: 'http' },
    }),
  };
}
