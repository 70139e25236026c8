/** What kind of refusal an error is; the API maps each kind to one HTTP status. */
export type ErrorKind =
  | 'invalid_input'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'locked'
  | 'payment_required'
  | 'limit'
  | 'unavailable'
  | 'internal';

/** One wrong field of an input: `name` is the path as the client wrote it. */
export interface FieldProblem {
  readonly name: string;
  readonly messages: readonly string[];
}

/**
 * An expected refusal. `code` belongs to a closed set of its feature (see each `*.errors.ts`) and is what
 * programs compare; `message` is for people and is never matched.
 */
export class DomainError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly fields: readonly FieldProblem[];
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    kind: ErrorKind,
    code: string,
    message: string,
    more: { fields?: readonly FieldProblem[]; details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'DomainError';
    this.kind = kind;
    this.code = code;
    this.fields = more.fields ?? [];
    this.details = more.details ?? {};
  }
}
