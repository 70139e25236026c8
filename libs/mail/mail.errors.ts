import { DomainError } from '#libs/kernel';

export type MailErrorCode = 'recipient_invalid';

/** The address stays out of the message: it ends in logs. */
export function recipientInvalid(): DomainError {
  return new DomainError(
    'invalid_input',
    'recipient_invalid' satisfies MailErrorCode,
    'a mail needs one plain address, such as anna@example.org',
  );
}
