import type { EntityManager } from 'typeorm';
import { newId } from '#libs/kernel';
import { recipientInvalid } from './mail.errors.ts';
import type { MailData, MailTemplate } from './templates/index.ts';

/** For how long a mail server may refuse before a mail is given up. */
const WORTH_SENDING_SECONDS = 2 * 24 * 3600;
const ADDRESS_MAX_CHARACTERS = 254;
/** One address and nothing that means more than itself in a header or an SMTP command. */
const ADDRESS = /^[^\s\p{Cc}<>()[\]\\,;:"@]+@[^\s\p{Cc}<>()[\]\\,;:"@]+$/u;

export interface NewMail<T extends MailTemplate> {
  /** What it is sent for, such as `invoice 42 unpaid, day 3`: asked for twice, it is sent once. */
  readonly cause: string;
  readonly accountId?: number;
  readonly to: string;
  readonly template: T;
  readonly data: MailData<T>;
  /** After so many seconds it says nothing true any more and is given up; two days unless told. */
  readonly worthSendingSeconds?: number;
}

/**
 * Puts a mail into the outbox within the caller's transaction: it is sent if that commits, and only then.
 *
 * @returns false when a mail of this cause was queued before.
 * @throws DomainError `recipient_invalid`
 */
export async function queueMail<T extends MailTemplate>(
  manager: EntityManager,
  mail: NewMail<T>,
): Promise<boolean> {
  if (!isAddress(mail.to)) throw recipientInvalid();
  const rows: unknown[] = await manager.query(
    `INSERT INTO mails (id, cause, account_id, recipient, template, data, give_up_at)
     VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))
     ON CONFLICT (cause) DO NOTHING RETURNING id`,
    [
      newId(),
      mail.cause,
      mail.accountId ?? null,
      mail.to,
      mail.template,
      JSON.stringify(mail.data),
      mail.worthSendingSeconds ?? WORTH_SENDING_SECONDS,
    ],
  );
  return rows.length === 1;
}

/**
 * Puts a mail to an account's holder into the outbox. An address that no mail server could take gets none: what it is
 * about happens all the same.
 */
export async function queueMailToHolder<T extends MailTemplate>(
  manager: EntityManager,
  mail: Omit<NewMail<T>, 'to'> & { readonly accountId: number },
): Promise<void> {
  const [account] = await manager.query<{ email: string }[]>('SELECT email FROM accounts WHERE id = $1', [
    mail.accountId,
  ]);
  if (account && isAddress(account.email)) await queueMail(manager, { ...mail, to: account.email });
}

/** Whether it is one address, with nothing that would mean more in a header or a command of SMTP. */
export function isAddress(text: string): boolean {
  return text.length <= ADDRESS_MAX_CHARACTERS && ADDRESS.test(text);
}
