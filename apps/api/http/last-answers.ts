import type { FastifyInstance } from 'fastify';

/**
 * Ends each connection with the answer to the request that was in progress when the app began to close. Clients keep
 * theirs open for more than a minute, and the process would wait for them.
 */
export function closeAfterLastAnswers(fastify: FastifyInstance): void {
  let closing = false;
  fastify.addHook('preClose', (done) => {
    closing = true;
    done();
  });
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    if (closing) reply.header('connection', 'close');
    done(null, payload);
  });
}
