import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { ApiError } from './api-error.ts';

/** Larger than user data of 32 KiB in JSON's longest spelling. */
export const BODY_LIMIT_BYTES = 256 * 1024;

/** A route whose bodies may be larger than others. */
export function BodyLimit(bodyLimitBytes: number): MethodDecorator {
  return RouteConfig({ bodyLimitBytes });
}

/** Deeper than any body of the API, and shallow enough for code that follows a value down. */
const DEPTH_LIMIT = 32;

/**
 * JSON bodies. An empty one counts as none, as some clients send it with actions. A route with `rawBody` in its
 * config gets the bytes as they came, which a signature is checked on. Call it before the first route is registered.
 */
export function addBodyParser(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    const { bodyLimitBytes } = (route.config ?? {}) as { bodyLimitBytes?: number };
    if (bodyLimitBytes !== undefined) route.bodyLimit = bodyLimitBytes;
  });
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer', bodyLimit: BODY_LIMIT_BYTES },
    (request, body, done) => {
      if ('rawBody' in request.routeOptions.config) return done(null, body);
      if (body.length === 0) return done(null, undefined);
      const text = utf8(body);
      if (text === undefined) return done(new ApiError('json_error', 'the body is not UTF-8'));
      parseJson(request, text, (error, value) => {
        if (error || !isDeeperThan(DEPTH_LIMIT, value)) return done(error, value);
        done(new ApiError('json_error', `the body is nested deeper than ${DEPTH_LIMIT} levels`));
      });
    },
  );
}

function utf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Looks level by level, so that no depth of a value can exhaust the stack. */
function isDeeperThan(limit: number, value: unknown): boolean {
  let level = [value].filter(isNested);
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === limit) return true;
    level = level.flatMap((one) => Object.values(one).filter(isNested));
  }
  return false;
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
