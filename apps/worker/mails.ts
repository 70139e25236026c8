import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DataSource } from 'typeorm';
import { ENVIRONMENT, type Environment } from '#libs/config';
import { type MailCarrier, MailSender, mailsGivenUp, noCarrier, openText } from '#libs/mail';
import { smtpCarrier } from '#libs/mail/smtp';
import { FindingsService, type NewFinding } from '#libs/placement';
import { EnvelopeCipher } from '#libs/secrets';

/** For how long the operator is told of a mail that was given up. */
const TOLD_DAYS = 7;
const MOST_FINDINGS = 100;
const SERVER_FAILING: NewFinding = { kind: 'mail_server_failing', hostId: null, subject: 'SMTP_URL' };

/** Sends what the outbox holds, and tells the operator what does not get through. */
@Injectable()
export class Mails {
  private readonly sender: MailSender;

  constructor(
    private readonly dataSource: DataSource,
    private readonly findings: FindingsService,
    cipher: EnvelopeCipher,
    @Inject(ENVIRONMENT) environment: Environment,
    private readonly log: PinoLogger,
  ) {
    this.sender = new MailSender(dataSource, carrierOf(environment), {
      siteUrl: environment.SERVERY_URL,
      open: (secret) => openText(cipher, secret),
    });
  }

  async send(signal?: AbortSignal): Promise<void> {
    const { sent, failures, givenUp } = await this.sender.sendDue(signal);
    if (sent > 0) this.log.info({ sent }, 'sent mails');
    for (const failure of failures) this.log.warn(failure, 'a mail was not taken');
    if (sent > 0) {
      await this.findings.resolve(this.dataSource.manager, SERVER_FAILING.kind, [SERVER_FAILING.subject]);
    } else if (failures[0]) {
      await this.findings.report({ ...SERVER_FAILING, details: { error: failures[0].error } });
    }
    if (givenUp > 0) await this.tellGivenUp();
  }

  /** Each mail that was given up is a finding, for a week. */
  async tellGivenUp(): Promise<void> {
    const mails = await mailsGivenUp(this.dataSource.manager, { days: TOLD_DAYS, limit: MOST_FINDINGS });
    const all = mails.map(
      ({ id, ...details }): NewFinding => ({
        kind: 'mail_not_sent',
        hostId: null,
        subject: `mail ${id}`,
        details,
      }),
    );
    for (const finding of all) await this.findings.report(finding);
    await this.findings.resolveOthers(null, ['mail_not_sent'], all);
  }
}

function carrierOf({ SMTP_URL: url, MAIL_FROM: from }: Environment): MailCarrier {
  return url === undefined || from === undefined ? noCarrier : smtpCarrier({ url, from });
}
