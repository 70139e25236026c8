import { PinoLogger } from 'nestjs-pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Environment } from '#libs/config';
import { queueMail, sealText } from '#libs/mail';
import { type MailSink, startMailSink } from '#libs/mail/sink';
import { FindingsService, placementEntities } from '#libs/placement';
import { EnvelopeCipher } from '#libs/secrets';
import { testDatabase } from '../../test/support/test-database.ts';
import { Mails } from './mails.ts';

const database = testDatabase({ entities: placementEntities });
const cipher = new EnvelopeCipher([Buffer.alloc(32, 1)]);
const GONE = 'gone@example.org';
let sink: MailSink;
let findings: FindingsService;

beforeAll(async () => {
  sink = await startMailSink({
    smtpPort: 0,
    httpPort: 0,
    refuse: (recipient) => (recipient === GONE ? '550 5.1.1 no such user' : undefined),
  });
  findings = new FindingsService(database.dataSource);
});
afterAll(() => sink.close());

function mails(smtp: Partial<Environment>): Mails {
  const environment = { SERVERY_URL: 'https://servers.example.org', ...smtp } as Environment;
  const log = new PinoLogger({ pinoHttp: { level: 'silent' } });
  return new Mails(database.dataSource, findings, cipher, environment, log);
}

const queue = (to: string) =>
  queueMail(database.dataSource.manager, {
    cause: to,
    to,
    template: 'confirm-email',
    data: { token: sealText(cipher, 'one-time-token', to) },
  });

const open = async () => (await findings.list()).items.map(({ kind, subject }) => `${kind}: ${subject}`);

it('tells of a mail server that fails until a mail gets through, and of mails that never will', async () => {
  const smtp = { SMTP_URL: sink.smtpUrl, MAIL_FROM: 'Servery <servery@example.org>' };
  await queue('anna@example.org');
  await mails({}).send();
  expect(await open()).toEqual(['mail_server_failing: SMTP_URL']);
  await database.dataSource.query('UPDATE mails SET due_at = now()');
  await mails(smtp).send();
  expect(await open()).toEqual([]);
  expect(sink.mails()[0]?.text).toContain('https://servers.example.org/confirm-email#one-time-token');

  await queue(GONE);
  await mails(smtp).send();
  const [lost] = await database.dataSource.query(`SELECT id FROM mails WHERE recipient = '${GONE}'`);
  expect(await open()).toEqual([`mail_not_sent: mail ${lost.id}`]);
  await database.dataSource.query(`UPDATE mails SET given_up_at = now() - interval '8 days' WHERE id = $1`, [
    lost.id,
  ]);
  await mails(smtp).tellGivenUp();
  expect(await open()).toEqual([]);
});

it('keeps no token that could be read at rest', async () => {
  const rows: object[] = await database.dataSource.query('SELECT * FROM mails');
  expect(JSON.stringify(rows)).not.toContain('one-time-token');
});
