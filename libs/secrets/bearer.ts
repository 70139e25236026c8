import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether an `Authorization` header carries this token. Takes as long whatever is wrong with it. */
export function bearerIs(header: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
