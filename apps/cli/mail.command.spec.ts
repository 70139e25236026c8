import { afterAll, beforeAll, expect, it } from 'vitest';
import { type MailSink, startMailSink } from '#libs/mail/sink';
import { builtCli } from '../../test/support/built-cli.ts';

let sink: MailSink;
beforeAll(async () => {
  sink = await startMailSink({ smtpPort: 0, httpPort: 0 });
});
afterAll(() => sink.close());

const DATABASE_URL = 'postgres://nobody@127.0.0.1:1/none';
const MAIL_FROM = 'Servery <servery@example.org>';

it('servery mail test sends a mail, and says why one is not taken', async () => {
  const servery = builtCli(() => ({ DATABASE_URL, MAIL_FROM, SMTP_URL: sink.smtpUrl }));
  expect(await servery('mail', 'test', 'anna@example.org')).toContain('took a mail');
  expect(sink.mails()).toMatchObject([{ recipients: ['anna@example.org'], subject: 'A test from Servery' }]);
  await expect(servery('mail', 'test', 'a@example.org, b@example.org')).rejects.toThrow('one plain address');

  const away = builtCli(() => ({ DATABASE_URL, MAIL_FROM, SMTP_URL: 'smtp://127.0.0.1:1' }));
  await expect(away('mail', 'test', 'anna@example.org')).rejects.toThrow('did not take it');
  const none = builtCli(() => ({ DATABASE_URL }));
  await expect(none('mail', 'test', 'anna@example.org')).rejects.toThrow('set SMTP_URL and MAIL_FROM');
  expect(sink.mails()).toHaveLength(1);
});
