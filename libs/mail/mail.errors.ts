import { DomainError } from '#libs/kernel';

export type MailErrorCode = 'recipient_invalid' | 'mail_not_resent';

export function mailNotResent(why: string): DomainError {
  return new DomainError('conflict', 'mail_not_resent' satisfies MailErrorCode, why);
}

/** The address stays out of the message: it ends in logs. */
export function recipientInvalid(): DomainError {
  return new DomainError(
    'invalid_input',
    'recipient_invalid' satisfies MailErrorCode,
    'a mail needs one plain address, such as anna@example.org',
  );
}
