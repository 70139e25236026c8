import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { uploadFile } from './uploads.ts';

const file = new File(['0123456789'], 'disk.raw', { lastModified: 1 });
const kept = new Map<string, string>();
const asked: string[] = [];

/** Answers in turn: the status, and how much is here. */
function answerWith(...answers: readonly (readonly [status: number, here?: number])[]): void {
  const left = [...answers];
  vi.stubGlobal('fetch', async (_: string, { method }: RequestInit) => {
    asked.push(String(method));
    const [status, here = 0] = left.shift() ?? [500];
    const body = status === 201 ? JSON.stringify({ upload: { id: 8 } }) : null;
    return new Response(body, { status, headers: { 'upload-offset': String(here) } });
  });
}

const send = () => uploadFile({ file, signal: new AbortController().signal, onProgress: () => {} });

beforeEach(() => {
  asked.length = 0;
  kept.clear();
  kept.set('servery.upload:disk.raw:10:1', '7');
  vi.useFakeTimers();
  vi.stubGlobal('sessionStorage', { getItem: () => null });
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('does not begin anew because it could not ask how far it was', async () => {
  answerWith([503]);
  await expect(send()).rejects.toMatchObject({ status: 503 });
  expect(asked).toEqual(['HEAD']);
  answerWith([200, 4], [200, 4], [204, 10]);
  expect(await send()).toBe(7);
});

it('begins anew where the former upload is gone', async () => {
  answerWith([404], [201], [200, 0], [204, 10]);
  expect(await send()).toBe(8);
  expect(asked).toEqual(['HEAD', 'POST', 'HEAD', 'PATCH']);
});

it('goes on with what was begun when it was stopped while it began', async () => {
  kept.clear();
  const stop = new AbortController();
  vi.stubGlobal('fetch', async (_: string, { signal }: RequestInit) => {
    stop.abort();
    signal?.throwIfAborted();
    return new Response(JSON.stringify({ upload: { id: 8 } }), { status: 201 });
  });
  const stopped = uploadFile({ file, signal: stop.signal, onProgress: () => {} });
  await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
  answerWith([200, 4], [200, 4], [204, 10]);
  expect(await send()).toBe(8);
});

it('waits for the limit of requests for as long as that takes', async () => {
  const refused = Array.from({ length: 40 }, () => [429] as const);
  answerWith([200, 4], [200, 4], ...refused, [204, 10]);
  const sent = send();
  await vi.advanceTimersByTimeAsync(40 * 30_000);
  expect(await sent).toBe(7);
});
