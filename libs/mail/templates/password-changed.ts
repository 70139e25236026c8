import { button, letter, paragraph } from '../letter.ts';
import type { MailContext } from '../template.ts';

export function passwordChanged(data: { readonly at: string }, { siteUrl }: MailContext) {
  return letter('Your password was changed', [
    paragraph(
      `The password of your Servery account was changed at ${data.at}, and all its sessions were ended.`,
    ),
    paragraph(
      'If it was you, there is nothing to do. If it was not, set a new one now, and look at your API tokens.',
    ),
    button('Set a new password', `${siteUrl}/forgot-password`),
  ]);
}
