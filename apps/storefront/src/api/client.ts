import { z } from 'zod';
import { currentProjectId } from './project.ts';

const errorEnvelope = z.object({
  error: z.object({ code: z.string(), message: z.string(), details: z.unknown().optional() }),
});
const fieldDetails = z.object({
  fields: z.array(z.object({ name: z.string(), messages: z.array(z.string()) })),
});

/** A refusal of the API: its closed code, a sentence for people, and the fields that it is about. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: Readonly<Record<string, string>>;
  /** What the API adds for programs, as it came. */
  readonly details: unknown;

  constructor(
    status: number,
    code: string,
    message: string,
    fields: Record<string, string> = {},
    details: unknown = null,
  ) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.fields = fields;
    this.details = details;
  }
}

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: unknown;
  /** Makes a creating POST safe to repeat: the same key gives the same answer. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

/**
 * Calls the public API and checks the answer against its contract.
 * @throws {ApiError} on any refusal; `network` when the service cannot be reached, `contract` when its
 * answer is not what was agreed.
 */
export async function call<T>(path: string, contract: z.ZodType<T>, options: Call = {}): Promise<T> {
  const response = await send(path, options);
  const body: unknown = response.status === 204 ? null : await response.json().catch(() => undefined);
  const parsed = contract.safeParse(body);
  if (parsed.success) return parsed.data;
  console.error(`The answer of ${path} is not what was agreed`, z.prettifyError(parsed.error));
  throw new ApiError(
    response.status,
    'contract',
    'The service gave an answer that this page cannot read. Reload it.',
  );
}

/** The contract of answers without a body. */
export const nothing = z.null();

/** A key for one intended creation; keep it for as long as the intention lasts. */
export function newIdempotencyKey(): string {
  return crypto.randomUUID();
}

function send(path: string, { method = 'GET', body, idempotencyKey, signal }: Call): Promise<Response> {
  return request(path, {
    method,
    headers: {
      accept: 'application/json',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    },
    body: body === undefined ? null : JSON.stringify(body),
    ...(signal && { signal }),
  });
}

interface PlainRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: BodyInit | null;
  readonly signal?: AbortSignal;
}

/** A request of this project, as it is. @throws {ApiError} on any refusal; `network` as `call` */
export async function request(path: string, { headers, signal, ...init }: PlainRequest): Promise<Response> {
  const projectId = currentProjectId();
  const project = projectId === null ? {} : { 'x-servery-project': String(projectId) };
  try {
    const response = await fetch(`/v1${path}`, {
      ...init,
      headers: { ...headers, ...project },
      credentials: 'same-origin',
      signal: signal ?? null,
    });
    if (!response.ok) throw refusal(response.status, await response.json().catch(() => undefined));
    return response;
  } catch (cause) {
    if (signal?.aborted || cause instanceof ApiError) throw cause;
    throw new ApiError(0, 'network', 'Servery cannot be reached. Check your connection, then try again.');
  }
}

function refusal(status: number, body: unknown): ApiError {
  const parsed = errorEnvelope.safeParse(body);
  if (!parsed.success)
    return new ApiError(status, 'service_error', 'Something broke on our side. Try again in a moment.');
  const { code, message, details } = parsed.data.error;
  const named = fieldDetails.safeParse(details);
  const fields = named.success
    ? named.data.fields.map((field) => [field.name, field.messages.join(' ')] as const)
    : [];
  return new ApiError(status, code, message, Object.fromEntries(fields), details);
}
