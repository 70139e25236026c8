import { randomBytes, randomUUID } from 'node:crypto';

/** Smallest public id: 13 decimal digits, so that ids look alike in every list. */
const MIN_ID = 1_000_000_000_000;

/**
 * A new public id: a random integer in [10^12, 2^53), so it survives JSON in every language
 * and cannot be guessed or counted.
 */
export function newId(): number {
  for (;;) {
    const bytes = randomBytes(8);
    const id = Number(bytes.readBigUInt64BE() >> 11n);
    if (id >= MIN_ID) return id;
  }
}

/** A new RFC 9562 version 4 UUID, for objects whose id is a UUID elsewhere (libvirt domains). */
export function newUuid(): string {
  return randomUUID();
}
