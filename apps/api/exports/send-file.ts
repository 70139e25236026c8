import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** A file that never changes. */
export interface SentFile {
  readonly path: string;
  /** Letters, digits, `.` and `-`: it stands in a header. */
  readonly name: string;
  readonly sizeBytes: number;
  /** SHA-256, 64 hex digits. */
  readonly sha256: string;
  readonly madeAt: Date;
}

interface Part {
  readonly first: number;
  /** The last byte that is sent. */
  readonly last: number;
}

/**
 * Sends a file from disk without holding it, all of it or the one range that was asked for (RFC 9110, section 14),
 * so that a download which broke goes on where it broke. The strong validator is the checksum.
 */
export function sendFile(request: FastifyRequest, reply: FastifyReply, file: SentFile): FastifyReply {
  const etag = `"${file.sha256}"`;
  reply.headers({
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'private, no-transform',
    'Content-Disposition': `attachment; filename="${file.name}"`,
    'Content-Type': 'application/octet-stream',
    ETag: etag,
    'Last-Modified': file.madeAt.toUTCString(),
    'Repr-Digest': `sha-256=:${Buffer.from(file.sha256, 'hex').toString('base64')}:`,
    'X-Checksum-Sha256': file.sha256,
  });
  if (isKnown(request.headers['if-none-match'], etag)) return reply.code(304).send();
  const part = askedPart(request, etag, file);
  if (part === 'unsatisfiable') {
    return reply.code(416).header('Content-Range', `bytes */${file.sizeBytes}`).send();
  }
  const { first, last } = part ?? { first: 0, last: file.sizeBytes - 1 };
  if (part) reply.code(206).header('Content-Range', `bytes ${first}-${last}/${file.sizeBytes}`);
  else reply.code(200);
  reply.header('Content-Length', last - first + 1);
  return reply.send(
    request.method === 'HEAD' ? Readable.from([]) : createReadStream(file.path, { start: first, end: last }),
  );
}

function isKnown(header: string | undefined, etag: string): boolean {
  const known = header?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return known?.some((tag) => tag === etag || tag === '*') ?? false;
}

/** Undefined: all of it. Several ranges at once are answered with all of it, as one may. */
function askedPart(
  request: FastifyRequest,
  etag: string,
  file: SentFile,
): Part | 'unsatisfiable' | undefined {
  const { range, 'if-range': ifRange } = request.headers;
  if (range === undefined || request.method !== 'GET') return undefined;
  if (ifRange !== undefined && ifRange !== etag && ifRange !== file.madeAt.toUTCString()) return undefined;
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
  const end = file.sizeBytes - 1;
  if (from === '') {
    if (to === '') return undefined;
    return Number(to) === 0 ? 'unsatisfiable' : { first: Math.max(0, end - Number(to) + 1), last: end };
  }
  if (to !== '' && Number(to) < Number(from)) return undefined;
  if (Number(from) > end) return 'unsatisfiable';
  return { first: Number(from), last: to === '' ? end : Math.min(Number(to), end) };
}
