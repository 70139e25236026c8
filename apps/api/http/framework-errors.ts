import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './api-error.ts';
import { toApiError } from './to-api-error.ts';

/** What Fastify refuses before there is a route, such as a path that is not UTF-8, in the envelope of the API. */
export function answerFrameworkError(
  error: FastifyError,
  _request: FastifyRequest,
  reply: FastifyReply,
): void {
  const known = toApiError(error) ?? new ApiError('service_error', 'the request cannot be handled');
  reply.status(known.status).type('application/json; charset=utf-8').send(known.body);
}
