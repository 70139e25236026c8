import { button, letter, paragraph } from '../letter.ts';
import type { MailContext } from '../template.ts';

export function serversDeleted({ owed }: { readonly owed: string }, { siteUrl }: MailContext) {
  return letter('Your servers have been deleted', [
    paragraph('Your servers and all their data have been deleted for good, because they were not paid for.'),
    paragraph(`${owed} is still owed. New orders are taken again once it is paid.`),
    button('Pay now', `${siteUrl}/billing`),
  ]);
}
