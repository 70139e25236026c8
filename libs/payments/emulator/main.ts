import { startEmulator } from './emulator.ts';

/** Runs the emulator as a process; its settings come from the environment. */
function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`Set ${name} to start the Stripe emulator.`);
  return value;
}

async function main(): Promise<void> {
  const webhookUrl = process.env.STRIPE_EMULATOR_WEBHOOK_URL;
  const stateFile = process.env.STRIPE_EMULATOR_STATE;
  const emulator = await startEmulator({
    port: Number(setting('STRIPE_EMULATOR_PORT')),
    apiKey: setting('STRIPE_SECRET_KEY'),
    ...(webhookUrl ? { webhookUrl, webhookSecret: setting('STRIPE_WEBHOOK_SECRET') } : {}),
    ...(stateFile ? { stateFile } : {}),
  });
  console.log(JSON.stringify({ msg: 'Stripe emulator: no real money', url: emulator.url }));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void emulator.close().then(() => process.exit(0)));
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
