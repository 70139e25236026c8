import type { FastifyReply, FastifyRequest } from 'fastify';
import '@fastify/cookie';
import { SESSION_SECONDS } from '#libs/accounts';

/** `__Host-` makes browsers refuse the cookie unless it is secure, for this host alone and for every path. */
const NAME = '__Host-servery_session';
const attributes = { path: '/', httpOnly: true, secure: true, sameSite: 'lax' } as const;

export function sessionTokenOf(request: FastifyRequest): string | undefined {
  return request.cookies[NAME];
}

export function setSessionCookie(reply: FastifyReply, token: string): void {
  reply.setCookie(NAME, token, { ...attributes, maxAge: SESSION_SECONDS });
}

export function clearSessionCookie(reply: FastifyReply): void {
  reply.clearCookie(NAME, attributes);
}
