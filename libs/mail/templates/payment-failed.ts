import { button, letter, paragraph } from '../letter.ts';
import type { MailContext } from '../template.ts';

interface PaymentFailedData {
  /** As people read it: `EUR 12.50`. */
  readonly owed: string;
  /** It is not tried again: the bank will not change its mind, there is no card, or it was to be paid by a day. */
  readonly isHard: boolean;
  /** `2027-01-31` */
  readonly suspendedOn: string;
}

/** Day 0: nothing has happened yet but that no orders are taken. */
export function paymentFailed({ owed, isHard, suspendedOn }: PaymentFailedData, { siteUrl }: MailContext) {
  return letter('Your payment failed', [
    paragraph(`Your payment of ${owed} failed.`),
    paragraph(
      isHard
        ? 'We do not try this again by ourselves: please pay it now, with another card where yours was refused.'
        : 'We will try again soon. If your card has no money now or has been replaced, you can pay with another one.',
    ),
    paragraph(
      `Your servers run on, but new orders are not taken until this is paid. If it is not, your servers are switched off on ${suspendedOn}.`,
    ),
    button('Pay now', `${siteUrl}/billing`),
  ]);
}
