import type { FastifyInstance } from 'fastify';

/** Larger than user data of 32 KiB in JSON's longest spelling. */
export const BODY_LIMIT_BYTES = 256 * 1024;

/**
 * JSON bodies. An empty one counts as none, as some clients send it with actions. A route with `rawBody` in its
 * config gets the bytes as they came, which a signature is checked on.
 */
export function addBodyParser(fastify: FastifyInstance): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer', bodyLimit: BODY_LIMIT_BYTES },
    (request, body, done) => {
      if ('rawBody' in request.routeOptions.config) done(null, body);
      else if (body.length === 0) done(null, undefined);
      else parseJson(request, body.toString('utf8'), done);
    },
  );
}
