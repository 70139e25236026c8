import { afterAll, afterEach, beforeAll } from 'vitest';
import { type Emulator, startEmulator } from './index.ts';

export const KEY = 'sk_test_emulator';

export interface Body {
  id: string;
  object: string;
  status: string;
  data: Body[];
  error: { type: string; code?: string; param?: string; message: string; payment_intent?: Body };
  [field: string]: unknown;
}

interface Answer {
  status: number;
  headers: Headers;
  body: Body;
}

export let emulator: Emulator;

/** One emulator for the spec file. No fault outlives its test. */
export function startsEmulatorOnce(): void {
  beforeAll(async () => {
    emulator = await startEmulator({ port: 0, apiKey: KEY });
  });
  afterEach(() => emulator.clearFaults());
  afterAll(() => emulator.close());
}

/** Calls the emulator, or another one. */
export async function call(
  method: string,
  path: string,
  form: string | Record<string, string> = '',
  headers: Record<string, string> = {},
  on = emulator,
): Promise<Answer> {
  const body = new URLSearchParams(form).toString();
  const isRead = method === 'GET';
  const response = await fetch(`${on.url}${path}${isRead && body ? `?${body}` : ''}`, {
    method,
    headers: { authorization: `Bearer ${KEY}`, ...headers },
    ...(isRead ? {} : { body: new URLSearchParams(body) }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
}

export const post = (
  path: string,
  form?: string | Record<string, string>,
  headers?: Record<string, string>,
) => call('POST', path, form, headers);
export const get = (path: string, form?: Record<string, string>) => call('GET', path, form);
