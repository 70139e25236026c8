import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { SecretsError } from './secrets.errors.ts';

const VERSION = 1;
const KEY_BYTES = 32;
const KEY_ID_BYTES = 4;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + SALT_BYTES + NONCE_BYTES;

/**
 * Seals secrets at rest with AES-256-GCM under a key derived per message (HKDF-SHA-256), so one master key
 * may seal any number of messages. Layout: version, key id, salt, nonce, tag, ciphertext.
 *
 * `context` binds a sealed value to its place (for example `server:42:root_password`): a value copied
 * into another row does not open there.
 */
export class EnvelopeCipher {
  private readonly keys: ReadonlyMap<string, Buffer>;
  /** 4 bytes: the second to fifth of all that this seals. */
  readonly currentKeyId: Buffer;

  /**
   * @param masterKeys 32 bytes each; the first one seals, all of them open (former keys stay readable).
   * @throws SecretsError `bad_secret_key`
   */
  constructor(masterKeys: readonly [Uint8Array, ...Uint8Array[]]) {
    for (const key of masterKeys) {
      if (key.byteLength !== KEY_BYTES) {
        throw new SecretsError('bad_secret_key', `a secret key must have ${KEY_BYTES} bytes`);
      }
    }
    this.keys = new Map(masterKeys.map((key) => [keyIdOf(key).toString('hex'), Buffer.from(key)]));
    this.currentKeyId = keyIdOf(masterKeys[0]);
  }

  /** Whether a key with this id, 4 bytes, is among those that open. */
  knows(keyId: Buffer): boolean {
    return this.keys.has(keyId.toString('hex'));
  }

  /** Encrypts UTF-8 text for a `bytea` column. */
  seal(plaintext: string, context: string): Buffer {
    const salt = randomBytes(SALT_BYTES);
    const nonce = randomBytes(NONCE_BYTES);
    const header = Buffer.concat([Buffer.of(VERSION), this.currentKeyId, salt, nonce]);
    const cipher = createCipheriv('aes-256-gcm', this.messageKey(this.currentKeyId, salt), nonce);
    cipher.setAAD(associatedData(header, context));
    const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
    return Buffer.concat([header, cipher.getAuthTag(), ciphertext]);
  }

  /** @throws SecretsError `unreadable_secret` when the key, the context or a single bit differs. */
  open(sealed: Uint8Array, context: string): string {
    const bytes = Buffer.from(sealed);
    if (bytes.length < HEADER_BYTES + TAG_BYTES || bytes[0] !== VERSION) throw unreadable();
    const header = bytes.subarray(0, HEADER_BYTES);
    const keyId = header.subarray(1, 1 + KEY_ID_BYTES);
    const salt = header.subarray(1 + KEY_ID_BYTES, HEADER_BYTES - NONCE_BYTES);
    const nonce = header.subarray(HEADER_BYTES - NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.messageKey(keyId, salt), nonce, {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(associatedData(header, context));
    decipher.setAuthTag(bytes.subarray(HEADER_BYTES, HEADER_BYTES + TAG_BYTES));
    try {
      return (
        decipher.update(bytes.subarray(HEADER_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
      );
    } catch {
      throw unreadable();
    }
  }

  private messageKey(keyId: Buffer, salt: Buffer): Buffer {
    const master = this.keys.get(keyId.toString('hex'));
    if (!master) throw unreadable();
    return Buffer.from(hkdfSync('sha256', master, salt, 'servery/envelope/v1', KEY_BYTES));
  }
}

function keyIdOf(key: Uint8Array): Buffer {
  return createHash('sha256').update('servery/key-id').update(key).digest().subarray(0, KEY_ID_BYTES);
}

function associatedData(header: Buffer, context: string): Buffer {
  return Buffer.concat([header, Buffer.from(context, 'utf8')]);
}

function unreadable(): SecretsError {
  return new SecretsError('unreadable_secret', 'the secret cannot be opened with the configured key');
}
