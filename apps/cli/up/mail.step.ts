import { join } from 'node:path';
import type { Step } from './step.ts';

/** A mail server of our own that passes nothing on, unless the operator has one. */
export const mailStep: Step = {
  title: 'Mail',
  log: 'mail',
  async run(up) {
    if (process.env.SMTP_URL) return `by ${new URL(process.env.SMTP_URL).host}`;
    const { mail, smtp } = up.state.ports;
    const url = `http://127.0.0.1:${mail}`;
    const environment = {
      PATH: process.env.PATH,
      MAIL_SINK_SMTP_PORT: String(smtp),
      MAIL_SINK_HTTP_PORT: String(mail),
      MAIL_SINK_FOLDER: join(up.folder, 'mail', 'mails'),
    };
    await up.ensureProgram('mail', 'libs/mail/sink/main.js', environment, () => answers(url));
    up.mailUrl = url;
    return `kept at ${url}: nothing leaves this machine`;
  },
};

async function answers(url: string): Promise<boolean> {
  return (await fetch(url, { signal: AbortSignal.timeout(2000) })).ok;
}
