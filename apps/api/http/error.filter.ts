import { type ArgumentsHost, Catch, type ExceptionFilter, Injectable, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './api-error.ts';
import { RouteTable } from './route-table.ts';
import { toApiError } from './to-api-error.ts';

/** Turns every error into the envelope of the API. What nobody expected is logged and not shown. */
@Injectable()
@Catch()
export class ErrorFilter implements ExceptionFilter {
  private readonly log = new Logger(ErrorFilter.name);

  constructor(private readonly routes: RouteTable) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const answer = this.answerOf(error, request);
    if (answer.status === 401) reply.header('WWW-Authenticate', 'Bearer realm="servery"');
    reply.status(answer.status).type('application/json; charset=utf-8').send(answer.body);
  }

  private answerOf(error: unknown, request: FastifyRequest): ApiError {
    const known = toApiError(error);
    if (!known) {
      this.log.error({ err: error, requestId: request.id }, 'a request failed');
      return new ApiError(
        'service_error',
        'something went wrong on our side; please report the correlation id',
        {
          details: { correlation_id: request.id },
        },
      );
    }
    if (known.code !== 'not_found' || request.routeOptions.url !== undefined) return known;
    const allowed = this.routes.methodsOf(request.url);
    if (allowed.length === 0) return new ApiError('not_found', 'there is no such path');
    return new ApiError('method_not_allowed', `this path knows ${allowed.join(', ')}`);
  }
}
