import type { EnvelopeCipher } from '#libs/secrets';

/** A secret in a mail's data, sealed by the envelope cipher: nothing at rest may hold a one-time token. */
export interface SealedText {
  /** Base64. */
  readonly sealed: string;
  /** What the cipher bound it to. */
  readonly context: string;
}

export function sealText(cipher: EnvelopeCipher, plaintext: string, context: string): SealedText {
  return { sealed: cipher.seal(plaintext, context).toString('base64'), context };
}

/** @throws SecretsError `unreadable_secret` */
export function openText(cipher: EnvelopeCipher, { sealed, context }: SealedText): string {
  return cipher.open(Buffer.from(sealed, 'base64'), context);
}
