import { type ArgumentsHost, Catch, type ExceptionFilter, Injectable, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './api-error.ts';
import { ANY_PATH, RouteTable } from './route-table.ts';
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
    reply
      .status(answer.status)
      .headers(answer.headers)
      .type('application/json; charset=utf-8')
      .send(answer.body);
  }

  private answerOf(error: unknown, request: FastifyRequest): ApiError {
    const known = toApiError(error);
    if (!known) return this.unexpected(error, request);
    const { url } = request.routeOptions;
    const isRouted = url !== undefined && url !== ANY_PATH;
    return known.code === 'not_found' && !isRouted ? this.unknownPath(request.url) : known;
  }

  private unknownPath(url: string): ApiError {
    const allowed = this.routes.methodsOf(url);
    if (allowed.length === 0) return new ApiError('not_found', 'there is no such path');
    const methods = allowed.join(', ');
    return new ApiError('method_not_allowed', `this path knows ${methods}`, { headers: { Allow: methods } });
  }

  private unexpected(error: unknown, request: FastifyRequest): ApiError {
    this.log.error({ err: error, requestId: request.id }, 'a request failed');
    return new ApiError(
      'service_error',
      'something went wrong on our side; please report the correlation id',
      {
        details: { correlation_id: request.id },
      },
    );
  }
}
