import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EnvelopeCipher } from '#libs/secrets';
import { testDatabase } from '../../test/support/test-database.ts';
import {
  type MailCarrier,
  MailSender,
  noCarrier,
  openText,
  queueMail,
  type SealedText,
  sealText,
} from './index.ts';
import { type MailSink, startMailSink } from './sink/index.ts';
import { smtpCarrier } from './smtp/index.ts';

const database = testDatabase();
const context = { siteUrl: 'http://127.0.0.1:8080', open: () => 'token' };
const refusals = new Map<string, string>();
let sink: MailSink;
let queued = 0;

beforeEach(async () => {
  await database.dataSource.query('DELETE FROM mails');
  refusals.clear();
  sink = await startMailSink({ smtpPort: 0, httpPort: 0, refuse: (recipient) => refusals.get(recipient) });
});
afterEach(() => sink.close());

const carrier = (url = sink.smtpUrl) => smtpCarrier({ url, from: 'Servery <servery@example.org>' });
const sender = (by: MailCarrier = carrier()) => new MailSender(database.dataSource, by, context);

async function queue(to: string, worthSendingSeconds?: number): Promise<void> {
  queued += 1;
  await queueMail(database.dataSource.manager, {
    cause: `test ${queued}`,
    to,
    template: 'password-changed',
    data: { at: '2026-11-22 10:00 UTC' },
    ...(worthSendingSeconds !== undefined && { worthSendingSeconds }),
  });
}

interface Row {
  readonly id: number;
  readonly tries: number;
  readonly isSent: boolean;
  readonly isGivenUp: boolean;
  readonly waitSeconds: number;
  readonly error: string | null;
}

function rows(): Promise<Row[]> {
  return database.dataSource.query(
    `SELECT id, tries, sent_at IS NOT NULL AS "isSent", given_up_at IS NOT NULL AS "isGivenUp",
            round(extract(epoch FROM due_at - now()))::int AS "waitSeconds", last_error AS error
     FROM mails ORDER BY cause`,
  );
}

/** As if the wait were over, or the lease of a sender that died. */
const wait = () => database.dataSource.query(`UPDATE mails SET due_at = now()`);

describe('a mail', () => {
  it('goes by SMTP to its recipient alone, as text and as HTML', async () => {
    await queue('anna@example.org');
    expect(await sender().sendDue()).toEqual({ sent: 1, failures: [], givenUp: 0 });
    const [row] = await rows();
    expect(row).toMatchObject({ tries: 1, isSent: true, error: null });
    expect(sink.mails()).toHaveLength(1);
    expect(sink.mails()[0]).toMatchObject({
      recipients: ['anna@example.org'],
      from: 'servery@example.org',
      subject: 'Your password was changed',
      message_id: `<mail-${row?.id}@example.org>`,
      text: expect.stringContaining('changed at 2026-11-22 10:00 UTC'),
      html: expect.stringContaining('href="http://127.0.0.1:8080/forgot-password"'),
      raw: expect.stringMatching(/^From: Servery <servery@example.org>\r$/m),
    });
    expect(await sender().sendDue()).toEqual({ sent: 0, failures: [], givenUp: 0 });
  });

  it('is sent once, however many workers send', async () => {
    const recipients = Array.from({ length: 40 }, (_, index) => `c${index}@example.org`);
    for (const recipient of recipients) await queue(recipient);
    const reports = await Promise.all([1, 2, 3, 4].map(() => sender().sendDue()));
    expect(reports.reduce((sum, { sent }) => sum + sent, 0)).toBe(recipients.length);
    expect(
      sink
        .mails()
        .flatMap(({ recipients: to }) => to)
        .toSorted(),
    ).toEqual(recipients.toSorted());
  });

  it('that was sent by a worker killed before it could say so is sent again under the same Message-ID', async () => {
    await queue('anna@example.org');
    const victim = fileURLToPath(new URL('./dying-sender.fixture.ts', import.meta.url));
    const loader = new URL('../../test/support/swc-register.ts', import.meta.url).href;
    const args = ['--conditions=source', '--import', loader, victim, database.url, sink.smtpUrl];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    expect(sink.mails()).toHaveLength(1);
    expect(await rows()).toMatchObject([{ tries: 1, isSent: false, isGivenUp: false }]);
    expect(await sender().sendDue()).toMatchObject({ sent: 0 });
    await wait();
    expect(await sender().sendDue()).toMatchObject({ sent: 1 });
    expect(await sender().sendDue()).toMatchObject({ sent: 0 });
    const [first, second, ...more] = sink.mails();
    expect(more).toEqual([]);
    expect(second?.message_id).toMatch(/^<mail-\d+@example.org>$/);
    expect(first?.message_id).toBe(second?.message_id);
  });

  it('is tried again after ever longer waits while the server refuses, and arrives when it does not', async () => {
    refusals.set('anna@example.org', '554 5.7.1 relay access denied');
    await queue('anna@example.org');
    const waits = [];
    for (let round = 1; round <= 9; round += 1) {
      const report = await sender().sendDue();
      expect(report).toMatchObject({
        sent: 0,
        givenUp: 0,
        failures: [{ error: expect.stringContaining('5.7.1') }],
      });
      const [row] = await rows();
      waits.push(row?.waitSeconds);
      await wait();
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
    refusals.clear();
    expect(await sender().sendDue()).toEqual({ sent: 1, failures: [], givenUp: 0 });
    expect(await rows()).toMatchObject([{ tries: 10, isSent: true, isGivenUp: false, error: null }]);
  });

  it('is given up at once when there is no such recipient, and others go on', async () => {
    refusals.set('nobody@example.org', '550 5.1.1 no such user');
    await queue('anna@example.org');
    await queue('nobody@example.org');
    await queue('bert@example.org');
    expect(await sender().sendDue()).toEqual({ sent: 2, failures: [], givenUp: 1 });
    expect((await rows()).filter(({ isGivenUp }) => isGivenUp)).toMatchObject([
      { tries: 1, error: expect.stringContaining('5.1.1') },
    ]);
    await wait();
    expect(await sender().sendDue()).toEqual({ sent: 0, failures: [], givenUp: 0 });
  });

  it('is given up at once when no key opens the secret in it any more, which is not the mail server’s fault', async () => {
    const [before, after] = [1, 2].map((byte) => new EnvelopeCipher([Buffer.alloc(32, byte)]));
    if (!before || !after) throw new Error('there are two keys');
    await queueMail(database.dataSource.manager, {
      cause: 'sealed',
      to: 'anna@example.org',
      template: 'confirm-email',
      data: { token: sealText(before, 'secret', 'mailed_link:1') },
    });
    const open = (secret: SealedText) => openText(after, secret);
    const report = await new MailSender(database.dataSource, carrier(), { ...context, open }).sendDue();
    expect(report).toEqual({ sent: 0, failures: [], givenUp: 1 });
    expect(await rows()).toMatchObject([
      { isGivenUp: true, error: expect.stringContaining('cannot be opened') },
    ]);
  });

  it('is given up when it would come too late, tried or not', async () => {
    const away = carrier('smtp://127.0.0.1:1');
    await queue('anna@example.org', 45);
    await queue('bert@example.org', 0);
    expect(await sender(away).sendDue()).toMatchObject({ sent: 0, failures: [{}], givenUp: 1 });
    await wait();
    expect(await sender(away).sendDue()).toMatchObject({ sent: 0, failures: [{}], givenUp: 1 });
    expect(sink.mails()).toEqual([]);
    expect(await rows()).toMatchObject([
      { tries: 2, isGivenUp: true, error: expect.stringContaining('ECONNREFUSED') },
      { tries: 1, isGivenUp: true, error: expect.stringContaining('too late') },
    ]);
  });

  it('waits where no mail server is known', async () => {
    await queue('anna@example.org');
    expect(await sender(noCarrier).sendDue()).toMatchObject({
      sent: 0,
      failures: [{ error: 'SMTP_URL is not set' }],
    });
    await wait();
    expect(await sender().sendDue()).toMatchObject({ sent: 1 });
  });

  it('whose template is gone harms no other', async () => {
    await queue('anna@example.org');
    await database.dataSource.query(`UPDATE mails SET template = 'toString'`);
    await queue('bert@example.org');
    expect(await sender().sendDue()).toMatchObject({
      sent: 1,
      failures: [{ error: expect.stringContaining('toString') }],
    });
  });
});

describe('SMTP', () => {
  const mail = { id: 7, to: 'anna@example.org', subject: 'Hi', text: 'Hi', html: '<p>Hi</p>' };
  const injection = '\r\nBcc: victim@example.org\r\nX-Evil: 1';

  it('carries no header that a subject or an address brings along', async () => {
    await carrier().send({ ...mail, subject: `Invoice${injection}` });
    const addresses = [`anna@example.org${injection}`, 'anna@example.org>\r\nRCPT TO:<victim@example.org'];
    for (const to of addresses) {
      await expect(carrier().send({ ...mail, to })).rejects.toMatchObject({ isFinal: true });
    }
    const [sent, ...more] = sink.mails();
    expect(more).toEqual([]);
    expect(sent).toMatchObject({
      recipients: ['anna@example.org'],
      subject: 'Invoice Bcc: victim@example.org X-Evil: 1',
    });
    expect(sent?.raw.slice(0, sent.raw.indexOf('\r\n\r\n'))).not.toMatch(/^(bcc|x-evil):/im);
  });

  it('sends no file, whatever a mail says', async () => {
    await carrier().send({ ...mail, text: '/etc/passwd', html: '<img src="file:///etc/passwd">' });
    expect(sink.mails()[0]?.raw).not.toContain('root:');
  });
});
