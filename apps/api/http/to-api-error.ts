import { HttpException } from '@nestjs/common';
import { type ErrorCode, errorStatus } from '#libs/contracts';
import { DomainError, type ErrorKind } from '#libs/kernel';
import { ApiError } from './api-error.ts';

const codeOfKind: Record<ErrorKind, ErrorCode> = {
  invalid_input: 'invalid_input',
  unauthorized: 'unauthorized',
  forbidden: 'forbidden',
  not_found: 'not_found',
  // Not Hetzner's `conflict`, after which its clients try again and again.
  conflict: 'invalid_state',
  locked: 'locked',
  payment_required: 'payment_required',
  limit: 'resource_limit_exceeded',
  unavailable: 'unavailable',
  internal: 'service_error',
};

/** Codes of features for which the API has a word of its own. */
const codeOfReason: Readonly<Record<string, ErrorCode>> = {
  email_taken: 'uniqueness_error',
  project_name_taken: 'uniqueness_error',
  ssh_key_name_taken: 'uniqueness_error',
  ssh_key_fingerprint_taken: 'uniqueness_error',
  server_name_taken: 'uniqueness_error',
  volume_name_taken: 'uniqueness_error',
  recipe_name_taken: 'uniqueness_error',
  image_protected: 'protected',
  volume_protected: 'protected',
  volume_already_attached: 'volume_already_attached',
  volume_still_attached: 'resource_in_use',
  server_protected: 'protected',
  invalid_server_type: 'invalid_server_type',
  server_must_be_off: 'server_not_stopped',
  server_in_rescue: 'unsupported_error',
  rescue_unavailable: 'resource_unavailable',
  iso_unavailable: 'resource_unavailable',
  image_out_of_reach: 'resource_unavailable',
  iso_attached: 'unsupported_error',
  credentials_gone: 'gone',
  link_gone: 'gone',
  export_link_expired: 'gone',
  upload_too_large: 'request_too_large',
  resource_unavailable: 'resource_unavailable',
  addresses_exhausted: 'resource_unavailable',
  resource_limit_exceeded: 'resource_limit_exceeded',
};

/** What Fastify refuses before a handler is reached. */
const codeOfFastify: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'json_error',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'request_too_large',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'json_error',
  FST_FILES_LIMIT: 'invalid_input',
  FST_FIELDS_LIMIT: 'invalid_input',
  FST_PARTS_LIMIT: 'invalid_input',
  FST_PROTO_VIOLATION: 'invalid_input',
  FST_ERR_BAD_URL: 'not_found',
  FST_ERR_MAX_PARAM_LENGTH: 'not_found',
};

const codeOfStatus: ReadonlyMap<number, ErrorCode> = new Map(
  Object.entries(errorStatus)
    .toReversed()
    .map(([code, status]) => [status, code as ErrorCode]),
);

/** The API's answer to any error; undefined for one that nobody expected. */
export function toApiError(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (error instanceof DomainError) return fromDomainError(error);
  const fastifyCode = codeOfFastify[codeProperty(error)];
  if (fastifyCode) return new ApiError(fastifyCode, messageOf(error));
  if (error instanceof HttpException && error.getStatus() < 500) {
    return new ApiError(codeOfStatus.get(error.getStatus()) ?? 'invalid_input', error.message);
  }
  return undefined;
}

function fromDomainError(error: DomainError): ApiError | undefined {
  if (error.kind === 'internal') return undefined;
  const code = codeOfReason[error.code] ?? codeOfKind[error.kind];
  const reason = error.code === code ? {} : { reason: error.code };
  return new ApiError(code, error.message, {
    fields: error.fields,
    details: { ...reason, ...error.details },
  });
}

function codeProperty(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'the request is wrong';
}
