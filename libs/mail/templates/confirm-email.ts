import { button, letter, paragraph } from '../letter.ts';
import type { SealedText } from '../sealed-text.ts';
import type { MailContext } from '../template.ts';

/**
 * Whoever signs up may name anybody's address, so this mail holds nothing that they chose: it could not be used to
 * send words of theirs to others.
 */
export function confirmEmail(data: { readonly token: SealedText }, { siteUrl, open }: MailContext) {
  return letter('Confirm your e-mail address', [
    paragraph('Somebody, most likely you, opened a Servery account with this address.'),
    button('Confirm this address', `${siteUrl}/confirm-email#${open(data.token)}`),
    paragraph(
      'The link works once and for 24 hours. If it was not you, do nothing: without it nobody can use your address.',
    ),
  ]);
}
