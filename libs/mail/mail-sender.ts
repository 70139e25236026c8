import type { DataSource } from 'typeorm';
import { SecretsError } from '#libs/secrets';
import { DeliveryError, type MailCarrier } from './carrier.ts';
import { claimDue, type DueMail, recordFailure, recordSent } from './due-mails.ts';
import type { MailContent, MailContext } from './template.ts';
import { templates } from './templates/index.ts';

/** Mails that are under way at once, and connections to the mail server. */
const BATCH = 5;
/** Longer than a carrier may take. A sender that dies leaves its mails to others after so long. */
const LEASE_SECONDS = 180;

/** What a round of sending came to. */
export interface SendingReport {
  readonly sent: number;
  /** Failures that are not one recipient's own: the mail server, or the way to it. */
  readonly failures: readonly { readonly mailId: number; readonly error: string }[];
  readonly givenUp: number;
}

/**
 * Sends what is due in the outbox. Each mail is claimed by one sender at a time; who dies between sending and
 * recording leaves it to be sent again, with the Message-ID that it had.
 */
export class MailSender {
  private readonly dataSource: DataSource;
  private readonly carrier: MailCarrier;
  private readonly context: MailContext;

  constructor(dataSource: DataSource, carrier: MailCarrier, context: MailContext) {
    this.dataSource = dataSource;
    this.carrier = carrier;
    this.context = context;
  }

  /** Sends until nothing is due, or `signal` aborts; mails that are under way then are waited for. */
  async sendDue(signal?: AbortSignal): Promise<SendingReport> {
    const outcomes: Outcome[] = [];
    while (!signal?.aborted) {
      const mails = await claimDue(this.dataSource.manager, { limit: BATCH, leaseSeconds: LEASE_SECONDS });
      outcomes.push(...(await Promise.all(mails.map((mail) => this.deliver(mail)))));
      if (mails.length < BATCH) break;
    }
    return {
      sent: outcomes.filter(({ kind }) => kind === 'sent').length,
      failures: outcomes.filter((outcome) => outcome.kind === 'failed'),
      givenUp: outcomes.filter(({ isGivenUp }) => isGivenUp).length,
    };
  }

  private async deliver(mail: DueMail): Promise<Outcome> {
    const { manager } = this.dataSource;
    try {
      if (mail.isLate) throw new DeliveryError('it came to its turn too late', { isFinal: true });
      await this.carrier.send({ ...this.write(mail), id: mail.id, to: mail.to });
    } catch (cause) {
      const error = String(cause instanceof Error ? cause.message : cause);
      // What no key opens today, none opens tomorrow.
      const isFinal = cause instanceof SecretsError || (cause instanceof DeliveryError && cause.isFinal);
      const isGivenUp = await recordFailure(manager, mail, { error, isFinal });
      return { kind: isFinal ? 'refused' : 'failed', mailId: mail.id, error, isGivenUp };
    }
    await recordSent(manager, mail);
    return { kind: 'sent', mailId: mail.id, error: '', isGivenUp: false };
  }

  private write({ template, data }: DueMail): MailContent {
    if (!Object.hasOwn(templates, template)) throw new Error(`there is no template "${template}"`);
    const write = templates[template as keyof typeof templates];
    // What `queueMail` took was of this template's type, and `jsonb` gives it back.
    return write(data as never, this.context);
  }
}

interface Outcome {
  readonly kind: 'sent' | 'refused' | 'failed';
  readonly mailId: number;
  readonly error: string;
  readonly isGivenUp: boolean;
}
