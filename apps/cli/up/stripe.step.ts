import { join } from 'node:path';
import type { Step } from './step.ts';

export const stripeStep: Step = {
  title: 'Stripe',
  log: 'stripe',
  async run(up) {
    if (process.env.STRIPE_SECRET_KEY) return 'from STRIPE_SECRET_KEY';
    const port = up.state.ports.stripe;
    const url = `http://127.0.0.1:${port}`;
    const environment = {
      PATH: process.env.PATH,
      STRIPE_EMULATOR_PORT: String(port),
      STRIPE_EMULATOR_STATE: join(up.folder, 'stripe', 'ledger.json'),
      STRIPE_EMULATOR_WEBHOOK_URL: `${up.url}/v1/webhooks/stripe`,
      STRIPE_SECRET_KEY: up.state.stripe.secretKey,
      STRIPE_WEBHOOK_SECRET: up.state.stripe.webhookSecret,
    };
    await up.ensureProgram('stripe', 'libs/payments/emulator/main.js', environment, () => answers(url));
    up.stripeEmulatorUrl = url;
    return `emulator at ${url}: no real money`;
  },
};

async function answers(url: string): Promise<boolean> {
  await fetch(url, { signal: AbortSignal.timeout(2000) });
  return true;
}
