import { queryOptions } from '@tanstack/react-query';
import { z } from 'zod';
import { uploadListResponse } from '#libs/contracts';
import { ApiError, call, nothing, request } from './client.ts';

const CHUNK_BYTES = 8 * 1024 * 1024;
/** Breaks in a row that an upload bears, beside the limit of requests; the pauses grow up to half a minute. */
const MOST_BREAKS = 10;
const LONGEST_PAUSE_MS = 30_000;
/** It has expired, is another project's, or is an image already. */
const GONE = new Set([404, 409, 410]);
const TUS = { 'tus-resumable': '1.0.0' };
const created = z.object({ upload: z.object({ id: z.int() }) });

interface Upload {
  readonly file: File;
  readonly signal: AbortSignal;
  readonly onProgress: (sentBytes: number) => void;
}

/** Files of the project that no image is made of yet: stopped ones count among those that may be under way. */
export const uploadsQuery = queryOptions({
  queryKey: ['uploads'],
  queryFn: async ({ signal }) => (await call('/uploads', uploadListResponse, { signal })).uploads,
});

export function deleteUpload(id: number) {
  return call(`/uploads/${id}`, nothing, { method: 'DELETE' });
}

/**
 * Sends a file in parts (TUS 1.0) and answers the upload's id. A break is waited for; a file that was begun in this
 * browser, also before the page was loaded anew, is gone on with. @throws {ApiError}
 */
export async function uploadFile(upload: Upload): Promise<number> {
  const id = (await knownUpload(upload)) ?? (await beginUpload(upload));
  let sent = await sentBytes(id, upload.signal);
  for (let breaks = 0; sent < upload.file.size; ) {
    upload.onProgress(sent);
    try {
      sent = await sendPart(id, sent, upload);
      breaks = 0;
    } catch (error) {
      const isLimited = error instanceof ApiError && error.status === 429;
      if (upload.signal.aborted || !isBreak(error) || (breaks === MOST_BREAKS && !isLimited)) throw error;
      const pauseMs = isLimited ? LONGEST_PAUSE_MS : 1000 * 2 ** breaks++;
      await pause(Math.min(pauseMs, LONGEST_PAUSE_MS), upload.signal);
      sent = await sentBytes(id, upload.signal).catch(() => sent);
    }
  }
  upload.onProgress(sent);
  return id;
}

/** The upload has become an image, or is given up: it is not gone on with. */
export function forgetUpload(file: File): void {
  localStorage.removeItem(keyOf(file));
}

async function knownUpload({ file, signal }: Upload): Promise<number | undefined> {
  const id = Number(localStorage.getItem(keyOf(file)) ?? Number.NaN);
  if (!Number.isSafeInteger(id)) return undefined;
  try {
    await sentBytes(id, signal);
    return id;
  } catch (error) {
    // What may pass says nothing about the upload: to begin anew would send all of it again.
    if (error instanceof ApiError && GONE.has(error.status)) return undefined;
    throw error;
  }
}

async function beginUpload({ file, signal }: Upload): Promise<number> {
  const headers = { ...TUS, 'upload-length': String(file.size) };
  // Not cut off: an upload whose id nobody got would take one of the project's places until it expires.
  const response = await request('/uploads', { method: 'POST', headers });
  const { upload } = created.parse(await response.json());
  localStorage.setItem(keyOf(file), String(upload.id));
  signal.throwIfAborted();
  return upload.id;
}

async function sentBytes(id: number, signal: AbortSignal): Promise<number> {
  return offsetOf(await request(`/uploads/${id}`, { method: 'HEAD', headers: TUS, signal }));
}

async function sendPart(id: number, from: number, { file, signal }: Upload): Promise<number> {
  const headers = {
    ...TUS,
    'upload-offset': String(from),
    'content-type': 'application/offset+octet-stream',
  };
  const body = file.slice(from, from + CHUNK_BYTES);
  return offsetOf(await request(`/uploads/${id}`, { method: 'PATCH', headers, body, signal }));
}

function offsetOf(response: Response): number {
  return Number(response.headers.get('upload-offset'));
}

/** What may pass by itself; an offset that does not fit is asked for anew, a fast line reaches the limit. */
function isBreak(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    (error.code === 'network' || error.status >= 500 || error.status === 409 || error.status === 429)
  );
}

function keyOf({ name, size, lastModified }: File): string {
  return `servery.upload:${name}:${size}:${lastModified}`;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
