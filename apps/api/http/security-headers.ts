import type { FastifyInstance } from 'fastify';

/** For the storefront: its own files and the API of the same origin, nothing from elsewhere. */
const pagePolicy = [
  "default-src 'self'",
  "img-src 'self' data:",
  "style-src 'self' 'unsafe-inline'",
  "script-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const headers = {
  'Content-Security-Policy': pagePolicy,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

/** Headers of every answer; answers of the API are not kept by caches. */
export function addSecurityHeaders(fastify: FastifyInstance, { https }: { https: boolean }): void {
  fastify.addHook('onRequest', async (request, reply) => {
    reply.headers(headers);
    reply.header('X-Correlation-Id', request.id);
    if (https) reply.header('Strict-Transport-Security', 'max-age=31536000; includeSubDomains');
    const path = request.routeOptions.url ?? request.url;
    if (path.startsWith('/v1/') || request.url.startsWith('/v1/')) reply.header('Cache-Control', 'no-store');
  });
}
