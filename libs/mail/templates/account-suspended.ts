import { button, letter, paragraph } from '../letter.ts';
import type { MailContext } from '../template.ts';

interface AccountSuspendedData {
  readonly reason: 'billing' | 'abuse' | 'operator';
  /** What is owed where it is for that: `EUR 12.50`. */
  readonly owed: string | null;
  /** What the operator wrote; may be empty. */
  readonly note: string;
  /** `2027-01-31`: when the servers are put out of sight. */
  readonly hiddenOn: string | null;
}

export function accountSuspended(data: AccountSuspendedData, { siteUrl }: MailContext) {
  return letter('Your servers are switched off', [
    paragraph('All your servers have been switched off and taken off the network. Their data is kept.'),
    ...whatToDo(data),
    ...(data.note ? [paragraph(`The operator writes: ${data.note}`)] : []),
    button(data.reason === 'billing' ? 'Pay now' : 'See your account', `${siteUrl}/billing`),
  ]);
}

function whatToDo({ reason, owed, hiddenOn }: AccountSuspendedData) {
  if (reason === 'abuse')
    return [paragraph('The reason is a report of abuse. Answer it, and they can be given back.')];
  if (reason === 'operator') return [paragraph('The operator did so. Ask them, and they can be given back.')];
  return [
    paragraph(
      `The reason is that ${owed ?? 'an invoice'} is unpaid. Pay, and each server is as it was within minutes.`,
    ),
    ...(hiddenOn ? [paragraph(`Until ${hiddenOn} they stay in your list.`)] : []),
  ];
}
