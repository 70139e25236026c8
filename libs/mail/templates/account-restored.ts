import { button, letter, paragraph } from '../letter.ts';
import type { MailContext } from '../template.ts';

interface AccountRestoredData {
  /** Something else stands against the account, so its servers stay off. */
  readonly isStillSuspended: boolean;
}

export function accountRestored({ isStillSuspended }: AccountRestoredData, { siteUrl }: MailContext) {
  return letter(isStillSuspended ? 'Thank you for your payment' : 'Your servers are back', [
    paragraph(
      isStillSuspended
        ? 'Nothing is owed any more. Your servers stay off for another reason, of which you were told.'
        : 'Each of your servers is being put back as it was: those that ran are switched on, the others stay off.',
    ),
    button('See your servers', `${siteUrl}/servers`),
  ]);
}
