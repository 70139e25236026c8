import type { FastifyInstance } from 'fastify';
import { CONSOLES_PATH } from '#libs/contracts';

/** For the storefront: its own files, the API of the same origin and its consoles, nothing from elsewhere. */
const pagePolicy = (ownUrl: string) =>
  [
    "default-src 'self'",
    // Not every browser takes WebSockets of the same origin for `self`.
    `connect-src 'self' ${new URL(ownUrl).origin.replace(/^http/, 'ws')}${CONSOLES_PATH}`,
    "img-src 'self' data:",
    "style-src 'self' 'unsafe-inline'",
    "script-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');

const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

/** Headers of every answer; answers of the API are not kept by caches. `ownUrl`: where customers reach us. */
export function addSecurityHeaders(fastify: FastifyInstance, ownUrl: string): void {
  const https = ownUrl.startsWith('https:');
  const policy = pagePolicy(ownUrl);
  fastify.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...headers, 'Content-Security-Policy': policy });
    reply.header('X-Correlation-Id', request.id);
    if (https) reply.header('Strict-Transport-Security', 'max-age=31536000; includeSubDomains');
    const path = request.routeOptions.url ?? request.url;
    if (path.startsWith('/v1/') || request.url.startsWith('/v1/')) reply.header('Cache-Control', 'no-store');
  });
}
