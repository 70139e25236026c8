import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
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
  private readonly key: Buffer;
  private readonly clock: Clock;

  /** @param secretKey the installation's: 32 bytes in base64 */
  constructor(secretKey: string, clock: Clock = systemClock) {
    const master = Buffer.from(secretKey, 'base64');
    this.key = Buffer.from(hkdfSync('sha256', master, '', 'servery/export-link/v1', 32));
    this.clock = clock;
  }

  sign(exportId: number, validSeconds: number): DownloadLink {
    const expires = Math.floor(this.clock.now().getTime() / 1000) + validSeconds;
    return { expires, signature: this.mac(exportId, expires).toString('base64url') };
  }

  /**
   * @throws DomainError `export_not_found` where the link was not made here for this export, as if there were none;
   * `export_link_expired`
   */
  check(exportId: number, link: DownloadLink): void {
    const given = Buffer.from(link.signature, 'base64url');
    const right = this.mac(exportId, link.expires);
    if (given.length !== right.length || !timingSafeEqual(given, right)) throw exportNotFound(exportId);
    if (link.expires * 1000 > this.clock.now().getTime()) return;
    throw exportsError('export_link_expired', 'This link has expired: ask for a new one.');
  }

  private mac(exportId: number, expires: number): Buffer {
    return createHmac('sha256', this.key).update(`${exportId} ${expires}`).digest();
  }
}

export function exportNotFound(exportId: number): DomainError {
  return exportsError('export_not_found', `there is no export ${exportId}`);
}
