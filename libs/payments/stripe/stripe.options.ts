import type { Environment } from '#libs/config';
import type { StripeOptions } from './stripe.provider.ts';

const EMULATOR_PORT = 80;

/** The adapter's options from the environment. With `STRIPE_API_HOST` the emulator answers in Stripe's place. */
export function stripeOptions(environment: Environment): StripeOptions {
  const host = environment.STRIPE_API_HOST;
  return {
    secretKey: environment.STRIPE_SECRET_KEY,
    webhookSecret: environment.STRIPE_WEBHOOK_SECRET,
    ...(host
      ? { server: { host, port: environment.STRIPE_API_PORT ?? EMULATOR_PORT, protocol: 'http' } }
      : {}),
  };
}
