import { type ErrorCode, type ErrorResponse, errorStatus } from '#libs/contracts';
import type { FieldProblem } from '#libs/kernel';

interface ApiErrorOptions {
  readonly fields?: readonly FieldProblem[];
  readonly details?: Readonly<Record<string, unknown>>;
  /** Headers that belong to this refusal, such as `Allow`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal in the words of the API. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly body: ErrorResponse;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, message: string, { fields, details, headers }: ApiErrorOptions = {}) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.headers = headers ?? {};
    const more = { ...details, ...(fields && fields.length > 0 ? { fields: fields.map(copied) } : {}) };
    this.body = { error: { code, message, details: Object.keys(more).length > 0 ? more : null } };
  }

  get status(): number {
    return errorStatus[this.code];
  }
}

function copied({ name, messages }: FieldProblem) {
  return { name, messages: [...messages] };
}
