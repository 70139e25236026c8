import { createHash, randomInt } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
export const TOKEN_CHARACTERS = 64;

/** 64 letters and digits (381 bits), as Hetzner's tokens look. */
export function newToken(): string {
  return Array.from({ length: TOKEN_CHARACTERS }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}

/** SHA-256: a random token needs no slow hash, and a lookup by hash leaks no prefix by its time. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
