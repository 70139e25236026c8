import { startMailSink } from './mail-sink.ts';

/** Runs the sink as a process; its settings come from the environment. */
function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`Set ${name} to start the mail sink.`);
  return value;
}

async function main(): Promise<void> {
  const sink = await startMailSink({
    smtpPort: Number(setting('MAIL_SINK_SMTP_PORT')),
    httpPort: Number(setting('MAIL_SINK_HTTP_PORT')),
    folder: setting('MAIL_SINK_FOLDER'),
  });
  console.log(JSON.stringify({ msg: 'mail sink: nothing leaves this machine', url: sink.url }));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void sink.close().then(() => process.exit(0)));
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
