import { join, resolve, sep } from 'node:path';
import staticFiles from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { ANY_PATH } from '../http/route-table.ts';

/** Paths of the API, which never answer with the page. */
const API_PATH = /^\/(v1|docs|health|metrics)(\/|$|\?)/;

/**
 * Serves the built storefront: its files, and its page for every other path that a browser asks for, as the page
 * routes by itself. Files under /assets have their hash in their name, so browsers keep them for good.
 */
export async function serveStorefront(fastify: FastifyInstance, folder: string): Promise<void> {
  const root = resolve(folder);
  const assets = join(root, 'assets', sep);
  await fastify.register(staticFiles, {
    root,
    wildcard: false,
    index: 'index.html',
    cacheControl: false,
    setHeaders: (reply, path) => {
      const keep = path.startsWith(assets) ? 'public, max-age=31536000, immutable' : 'no-cache';
      reply.header('Cache-Control', keep);
    },
  });
  fastify.get(ANY_PATH, (request, reply) => {
    const wantsPage = (request.headers.accept ?? '').includes('text/html');
    if (wantsPage && !API_PATH.test(request.url)) return reply.sendFile('index.html');
    return reply.callNotFound();
  });
}
