import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { SecretKeys } from '#libs/config';
import { type Clock, DomainError, systemClock } from '#libs/kernel';
import { exportsError } from './exports.errors.ts';

/** A link's own part of its address: what it is for, until when, and that we said so. */
export interface DownloadLink {
  /** Seconds since 1970. */
  readonly expires: number;
  readonly signature: string;
}

/**
 * Links to exports that need no sign-in: whoever has one may fetch that one file until it expires. They are
 * checked by an HMAC-SHA-256 under a key that follows from the installation's, so none is kept anywhere.
 */
export class DownloadLinks {
  private readonly keys: SecretKeys;
  private readonly clock: Clock;

  /** @param secretKeys the installation's; the first one signs, and links of all of them are good */
  constructor(secretKeys: SecretKeys, clock: Clock = systemClock) {
    const [present, ...former] = secretKeys;
    this.keys = [keyOfLinks(present), ...former.map(keyOfLinks)];
    this.clock = clock;
  }

  sign(exportId: number, validSeconds: number): DownloadLink {
    const expires = Math.floor(this.clock.now().getTime() / 1000) + validSeconds;
    return { expires, signature: mac(this.keys[0], exportId, expires).toString('base64url') };
  }

  /**
   * @throws DomainError `export_not_found` where the link was not made here for this export, as if there were none;
   * `export_link_expired`
   */
  check(exportId: number, link: DownloadLink): void {
    const given = Buffer.from(link.signature, 'base64url');
    const isOurs = this.keys.some((key) => {
      const right = mac(key, exportId, link.expires);
      return given.length === right.length && timingSafeEqual(given, right);
    });
    if (!isOurs) throw exportNotFound(exportId);
    if (link.expires * 1000 > this.clock.now().getTime()) return;
    throw exportsError('export_link_expired', 'This link has expired: ask for a new one.');
  }
}

function keyOfLinks(secretKey: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', secretKey, '', 'servery/export-link/v1', 32));
}

function mac(key: Buffer, exportId: number, expires: number): Buffer {
  return createHmac('sha256', key).update(`${exportId} ${expires}`).digest();
}

export function exportNotFound(exportId: number): DomainError {
  return exportsError('export_not_found', `there is no export ${exportId}`);
}
