import { button, letter, paragraph } from '../letter.ts';
import type { MailContext } from '../template.ts';

interface ServersToBeDeletedData {
  readonly owed: string;
  /** `2027-01-31` */
  readonly deletedOn: string;
}

export function serversToBeDeleted({ owed, deletedOn }: ServersToBeDeletedData, { siteUrl }: MailContext) {
  return letter('Your servers will be deleted', [
    paragraph(
      `${owed} is still unpaid. Your servers are no longer in your list and cost nothing from now on.`,
    ),
    paragraph(
      `Their data is deleted for good on ${deletedOn}. Pay before, and each server is as it was within minutes.`,
    ),
    button('Pay now', `${siteUrl}/billing`),
  ]);
}
