import {
  type CallHandler,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { newId } from '#libs/kernel';
import { ApiError } from '../http/api-error.ts';
import { endpointOf } from '../http/endpoints.ts';
import { toApiError } from '../http/to-api-error.ts';
import type { RequestWithForm } from '../uploads/form.interceptor.ts';
import { IdempotencyStore, isClaim } from './idempotency.store.ts';

const KEY = /^[\x21-\x7e]{1,255}$/;

interface CreatingRequest extends RequestWithForm {
  resourceId?: number;
}

/** The id of what the request creates: the same one whenever a request with an idempotency key is repeated. */
export const ResourceId = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const request = context.switchToHttp().getRequest<CreatingRequest>();
  return request.resourceId ?? newId();
});

/**
 * Lets a request with an `Idempotency-Key` happen once, however many of it arrive together: the others wait and
 * get the same answer. Refusals are not kept, so that a request can be repeated once its cause is gone.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(private readonly store: IdempotencyStore) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<CreatingRequest>();
    const key = request.headers['idempotency-key'];
    if (key === undefined || !endpointOf(context).idempotent) return next.handle();
    if (typeof key !== 'string' || !KEY.test(key)) {
      throw new ApiError('invalid_input', 'Idempotency-Key must be 1 to 255 visible ASCII characters');
    }
    return from(this.once(request, context.switchToHttp().getResponse<FastifyReply>(), key, next));
  }

  private async once(
    request: CreatingRequest,
    reply: FastifyReply,
    key: string,
    next: CallHandler,
  ): Promise<unknown> {
    const result = await this.store.claimOrAnswer({
      scope: scopeOf(request),
      key,
      content: contentOf(request),
    });
    if (!isClaim(result)) {
      reply.header('Idempotency-Replayed', 'true');
      if (result.setCookie !== null) reply.header('Set-Cookie', result.setCookie);
      return result.body;
    }
    request.resourceId = result.resourceId;
    try {
      const body: unknown = await lastValueFrom(next.handle(), { defaultValue: null });
      await this.store.keep(result, { body, setCookie: setCookieOf(reply) });
      return body;
    } catch (error) {
      await (toApiError(error) ? this.store.forget(result) : this.store.release(result));
      throw error;
    }
  }
}

function scopeOf(request: CreatingRequest): string {
  const { user } = request;
  if (!user) return `anonymous:${request.ip}`;
  return user.kind === 'token' ? `token:${user.tokenId}` : `account:${user.accountId}:${user.projectId}`;
}

/** Of a form with a file, the file counts by its checksum. */
function contentOf({ method, url, body, form }: CreatingRequest): string {
  const content = form ? { fields: form.fields, sha256: form.sha256 } : body;
  return `${method} ${url}\n${canonical(content)}`;
}

/** JSON with sorted keys, so that two spellings of one body are one body. */
function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

function setCookieOf(reply: FastifyReply): string | string[] | null {
  const header = reply.getHeader('set-cookie');
  return typeof header === 'number' || header === undefined ? null : header;
}
