import multipart from '@fastify/multipart';
import type { FastifyInstance } from 'fastify';
import { ApiError } from '../http/api-error.ts';

/** Bodies that a handler reads by itself, as they come. A route names the one that it takes as `streams` in its config. */
export const FORM = 'multipart/form-data';
export const OCTETS = 'application/offset+octet-stream';

/** Such bodies are as large as disks, so they are taken on the routes that want them and refused on all others. */
export async function addStreamedBodies(fastify: FastifyInstance): Promise<void> {
  await fastify.register(multipart);
  fastify.addContentTypeParser(OCTETS, (_request, _payload, done) => done(null));
  fastify.addHook('preParsing', (request, _reply, _payload, done) => {
    const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
    const isStreamed = type?.startsWith('multipart/') === true || type === OCTETS;
    const { streams } = request.routeOptions.config as { streams?: string };
    if (!isStreamed || type === streams) return done();
    done(new ApiError('unsupported_media_type', `this path does not take ${type}`));
  });
}
