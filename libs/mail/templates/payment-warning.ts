import { button, letter, paragraph } from '../letter.ts';
import type { MailContext } from '../template.ts';

interface PaymentWarningData {
  readonly owed: string;
  readonly isLast: boolean;
  /** `2027-01-31` */
  readonly suspendedOn: string;
}

export function paymentWarning({ owed, isLast, suspendedOn }: PaymentWarningData, { siteUrl }: MailContext) {
  return letter(
    isLast ? 'Last reminder: your servers are about to be switched off' : 'Please pay your invoice',
    [
      paragraph(`${owed} is still unpaid.`),
      paragraph(
        `If it stays so, all your servers are switched off and taken off the network on ${suspendedOn}.`,
      ),
      paragraph('Once you have paid, nothing of this happens.'),
      button('Pay now', `${siteUrl}/billing`),
    ],
  );
}
