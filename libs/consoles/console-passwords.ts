import { createHmac, hkdfSync } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** As many as RFB takes: of a longer password it knows the first eight. */
const PASSWORD_CHARACTERS = 8;

/**
 * The password of each console. It follows from the console's token and a key that follows from the installation's, so none
 * is kept anywhere, and who has seen a console's address alone does not know it.
 */
export class ConsolePasswords {
  private readonly key: Buffer;

  /** @param secretKey the installation's: 32 bytes in base64 */
  constructor(secretKey: string) {
    const master = Buffer.from(secretKey, 'base64');
    this.key = Buffer.from(hkdfSync('sha256', master, '', 'servery/console-password/v1', 32));
  }

  /** 8 characters, 48 bits. */
  of(token: string): string {
    const digest = createHmac('sha256', this.key).update(token).digest().subarray(0, PASSWORD_CHARACTERS);
    return Array.from(digest, (byte) => ALPHABET[byte % ALPHABET.length]).join('');
  }
}
