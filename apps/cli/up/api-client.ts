import { setTimeout as wait } from 'node:timers/promises';
import type { z } from 'zod';
import { errorResponse } from '#libs/contracts';
import { CliError } from '../cli.errors.ts';

const TIMEOUT_MILLISECONDS = 30_000;
const MOST_TRIES = 5;

/** A customer of the public API: the same requests that any other client makes. */
export class ApiClient {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  get<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
    return this.#send('GET', path, undefined, schema);
  }

  post<S extends z.ZodType>(path: string, body: unknown, schema: S): Promise<z.output<S>> {
    return this.#send('POST', path, body, schema);
  }

  async #send<S extends z.ZodType>(
    method: string,
    path: string,
    body: unknown,
    schema: S,
  ): Promise<z.output<S>> {
    const headers = { authorization: `Bearer ${this.#token}` };
    return (await request(this.#url, { method, path, body, headers }, schema)).body;
  }
}

export interface ApiRequest {
  readonly method: string;
  /** Below /v1. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Answer<S extends z.ZodType> {
  readonly body: z.output<S>;
  readonly headers: Headers;
}

/** One request; a rate limit is waited for. @throws CliError `api_refused` with the envelope's code and message. */
export async function request<S extends z.ZodType>(
  url: string,
  { method, path, body, headers }: ApiRequest,
  schema: S,
): Promise<Answer<S>> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(`${url}/v1${path}`, {
      method,
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
    });
    if (response.status === 429 && attempt < MOST_TRIES) {
      await wait(1000 * attempt);
      continue;
    }
    const answer: unknown = await response.json();
    if (!response.ok) throw refused(method, path, response.status, answer);
    return { body: schema.parse(answer), headers: response.headers };
  }
}

function refused(method: string, path: string, status: number, answer: unknown): CliError {
  const envelope = errorResponse.safeParse(answer);
  const why = envelope.success
    ? `${envelope.data.error.code}: ${envelope.data.error.message}`
    : `status ${status}`;
  return new CliError('api_refused', `${method} /v1${path} was refused: ${why}`);
}
