import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { ApiError } from './api-error.ts';
import { toInvalidInput } from './validation.pipe.ts';

/** Larger than user data of 32 KiB in JSON's longest spelling. */
export const BODY_LIMIT_BYTES = 256 * 1024;

/** A route whose bodies may be larger than others. */
export function BodyLimit(bodyLimitBytes: number): MethodDecorator {
  return RouteConfig({ bodyLimitBytes });
}

/** Deeper than any body of the API, and shallow enough for code that follows a value down. */
const DEPTH_LIMIT = 32;

/**
 * JSON bodies, of text that can be kept as it came. An empty one counts as none, as some clients send it with actions. A
 * route with `rawBody` in its config gets the bytes as they came, which a signature is checked on. Call it before the
 * first route is registered.
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
        if (error) return done(error);
        if (isDeeperThan(DEPTH_LIMIT, value)) {
          return done(new ApiError('json_error', `the body is nested deeper than ${DEPTH_LIMIT} levels`));
        }
        // In JSON that is UTF-8, such text can stand as an escape alone.
        const [problem] = text.includes('\\u') ? unkeepable(value) : [];
        if (problem) return done(toInvalidInput([problem]));
        done(null, value);
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

/** The texts and names of fields in it that PostgreSQL refuses (NUL) or that UTF-8 changes (half surrogates). */
function* unkeepable(value: unknown, path: string[] = []): Generator<z.core.$ZodIssue> {
  const issue = { code: 'custom', input: value, path } as const;
  if (isNested(value)) {
    for (const [key, one] of Object.entries(value)) {
      yield* unkeepable(key, [...path, key]);
      yield* unkeepable(one, [...path, key]);
    }
  } else if (typeof value !== 'string') return;
  else if (value.includes('\0')) yield { ...issue, message: 'must not have NUL characters' };
  else if (!value.isWellFormed()) yield { ...issue, message: 'must not have half of a surrogate pair' };
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
