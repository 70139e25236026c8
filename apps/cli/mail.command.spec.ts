import { afterAll, beforeAll, expect, it } from 'vitest';
import { queueMail } from '#libs/mail';
import { type MailSink, startMailSink } from '#libs/mail/sink';
import { serveryCli } from '../../test/support/servery-cli.ts';
import { testDatabase } from '../../test/support/test-database.ts';

const database = testDatabase();
let sink: MailSink;
beforeAll(async () => {
  sink = await startMailSink({ smtpPort: 0, httpPort: 0 });
});
afterAll(() => sink.close());

const DATABASE_URL = 'postgres://nobody@127.0.0.1:1/none';
const MAIL_FROM = 'Servery <servery@example.org>';

it('servery mail test sends a mail, and says why one is not taken', async () => {
  const servery = serveryCli(() => ({ DATABASE_URL, MAIL_FROM, SMTP_URL: sink.smtpUrl }));
  expect(await servery('mail', 'test', 'anna@example.org')).toContain('took a mail');
  expect(sink.mails()).toMatchObject([{ recipients: ['anna@example.org'], subject: 'A test from Servery' }]);
  await expect(servery('mail', 'test', 'a@example.org, b@example.org')).rejects.toThrow('one plain address');

  const away = serveryCli(() => ({ DATABASE_URL, MAIL_FROM, SMTP_URL: 'smtp://127.0.0.1:1' }));
  await expect(away('mail', 'test', 'anna@example.org')).rejects.toThrow('did not take it');
  const none = serveryCli(() => ({ DATABASE_URL }));
  await expect(none('mail', 'test', 'anna@example.org')).rejects.toThrow('set SMTP_URL and MAIL_FROM');
  expect(sink.mails()).toHaveLength(1);
});

it('servery mail names mails that were given up and sends them anew, but no link that has expired', async () => {
  const servery = serveryCli(() => ({ DATABASE_URL: database.url }));
  const { manager } = database.dataSource;
  const mail = { to: 'anna@example.org', accountId: 7 };
  await queueMail(manager, { ...mail, cause: 'a', template: 'servers-deleted', data: { owed: 'EUR 1' } });
  await manager.query(
    `INSERT INTO mails (id, cause, recipient, template, data, give_up_at)
     VALUES (5, 'b', 'b@example.org', 'reset-password', '{}', now())`,
  );
  const [{ id }] = await manager.query(`SELECT id FROM mails WHERE cause = 'a'`);
  await expect(servery('mail', 'resend', String(id))).rejects.toThrow('was not given up');
  await manager.query(`UPDATE mails SET given_up_at = now(), tries = 9, last_error = 'mailbox full'`);
  expect(await servery('mail', 'lost')).toMatch(
    new RegExp(`${id} +servers-deleted +account 7 +mailbox full\n`),
  );
  await expect(servery('mail', 'resend', String(id), '5')).rejects.toThrow('has expired');
  expect(await servery('mail', 'lost')).toContain('servers-deleted');
  await servery('mail', 'resend', String(id));
  expect(await servery('mail', 'lost')).not.toContain('servers-deleted');
  const [due] = await manager.query(
    `SELECT tries, given_up_at, give_up_at > now() + interval '47 hours' AS "isPatient" FROM mails WHERE id = $1`,
    [id],
  );
  expect(due).toEqual({ tries: 0, given_up_at: null, isPatient: true });
  expect(await servery('audit', '--subject', `mail:${id}`)).toContain('mail.resend');
});
