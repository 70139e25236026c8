import { button, letter, paragraph } from '../letter.ts';
import type { SealedText } from '../sealed-text.ts';
import type { MailContext } from '../template.ts';

export function resetPassword(data: { readonly token: SealedText }, { siteUrl, open }: MailContext) {
  return letter('Set a new password', [
    paragraph('Somebody, most likely you, asked for a new password for the Servery account of this address.'),
    button('Set a new password', `${siteUrl}/reset-password#${open(data.token)}`),
    paragraph(
      'The link works once and for one hour. If it was not you, do nothing: your password stays as it is.',
    ),
  ]);
}
