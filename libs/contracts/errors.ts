import { z } from 'zod';

/**
 * Every error code of the API with its HTTP status. Hetzner's where it has a word for it. `invalid_state`: not as things
 * stand; `details.reason` says what stands in the way.
 */
export const errorStatus = {
  json_error: 400,
  unauthorized: 401,
  payment_required: 402,
  forbidden: 403,
  csrf: 403,
  token_readonly: 403,
  protected: 403,
  resource_limit_exceeded: 403,
  not_found: 404,
  method_not_allowed: 405,
  invalid_state: 409,
  uniqueness_error: 409,
  resource_in_use: 409,
  volume_already_attached: 409,
  idempotency_conflict: 409,
  gone: 410,
  resource_unavailable: 412,
  request_too_large: 413,
  unsupported_media_type: 415,
  invalid_input: 422,
  unsupported_error: 422,
  invalid_server_type: 422,
  server_not_stopped: 422,
  locked: 423,
  rate_limit_exceeded: 429,
  service_error: 500,
  unavailable: 503,
} as const;

export type ErrorCode = keyof typeof errorStatus;

export const errorCodes = Object.keys(errorStatus) as [ErrorCode, ...ErrorCode[]];

/** One wrong field of a request: `name` is its path as the client wrote it, such as `public_net.ipv4`. */
export const fieldProblem = z.object({ name: z.string(), messages: z.array(z.string()) });

/**
 * The envelope of every answer that is not a success. `details.reason` narrows `code` for programs, and
 * `details.fields` names what was wrong in the request.
 */
export const errorResponse = z
  .object({
    error: z.object({
      code: z.enum(errorCodes),
      message: z.string(),
      details: z
        .looseObject({ fields: z.array(fieldProblem).optional(), reason: z.string().optional() })
        .nullable(),
    }),
  })
  .meta({ id: 'Error' });

export type ErrorResponse = z.output<typeof errorResponse>;
export type FieldProblemWire = z.output<typeof fieldProblem>;
