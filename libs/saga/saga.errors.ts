import { DomainError, type ErrorKind } from '#libs/kernel';

export type SagaErrorCode =
  | 'saga_subject_busy'
  | 'saga_not_found'
  | 'saga_not_stuck'
  | 'saga_params_invalid'
  | 'output_not_json'
  | 'deadline_exceeded'
  | 'step_timeout'
  | 'step_interrupted'
  | 'step_unknown'
  | 'undo_requested'
  | 'given_up'
  | 'unexpected';

/** What is kept of an error: enough to act on, nothing that could hold a secret. */
export interface SagaErrorRecord {
  readonly code: string;
  readonly message: string;
  /** The step that failed. */
  readonly step?: string;
}

export class SagaError extends DomainError {
  constructor(kind: ErrorKind, code: SagaErrorCode, message: string, more: { cause?: unknown } = {}) {
    super(kind, code, message, more);
    this.name = 'SagaError';
  }
}

/** Thrown by a step that knows that trying again cannot help: the saga turns back at once. */
export class PermanentError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'PermanentError';
    this.code = code;
  }
}

/** Another process owns the saga now; whoever catches this must stop without a further effect. */
export class LeaseLost extends Error {
  constructor(sagaId: number) {
    super(`the lease of saga ${sagaId} is lost`);
    this.name = 'LeaseLost';
  }
}

/** Refusals that time may cure. Every other kind of DomainError is final. */
const TRANSIENT_KINDS: ReadonlySet<ErrorKind> = new Set(['unavailable', 'internal', 'locked']);

/** True when trying the step again cannot help. An error of unknown origin is taken for a transient one. */
export function isPermanent(error: unknown): boolean {
  if (error instanceof PermanentError) return true;
  return error instanceof DomainError && !TRANSIENT_KINDS.has(error.kind);
}

const MAX_MESSAGE_LENGTH = 500;
const SECRETS = [
  /(?<=:\/\/[^/\s:@]*:)[^@\s/]+(?=@)/g,
  /(?<=(?:password|passwd|secret|token|authorization|api[_-]?key)["']?\s*[:=]\s*["']?)[^\s"',;]+/gi,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\b(?:sk|rk|whsec)_[A-Za-z0-9_]+/g,
];

/** An error as it may be stored and shown to an operator: code and message, credentials masked. */
export function toErrorRecord(error: unknown, step?: string): SagaErrorRecord {
  const code = error instanceof DomainError || error instanceof PermanentError ? error.code : 'unexpected';
  const text = error instanceof Error ? error.message : 'a value that is not an error was thrown';
  const message = redact(text).slice(0, MAX_MESSAGE_LENGTH);
  return step === undefined ? { code, message } : { code, message, step };
}

/** Masks what looks like a credential in a text from elsewhere. */
export function redact(text: string): string {
  return SECRETS.reduce((masked, pattern) => masked.replace(pattern, '[redacted]'), text);
}
