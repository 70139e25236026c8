import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Authenticated, showAuthentication, submitAuthentication } from './authentication-pages.ts';
import { showCheckout, submitCheckout } from './checkout-pages.ts';
import { invoicePdf, showInvoice, submitInvoice } from './invoice-pages.ts';
import { showPortal, submitPortal } from './portal.ts';
import type { Fields, Reply } from './reply.ts';
import type { World } from './world.ts';

interface Page {
  readonly path: string;
  readonly show: (world: World, id: string, query: Fields) => Reply;
  readonly submit?: (world: World, id: string, body: Fields) => Reply;
}

const authentication = (kind: Authenticated): Page => ({
  path: `/3ds/${kind}/:id`,
  show: (world, id, query) => showAuthentication(world, kind, id, query),
  submit: (world, id, body) => submitAuthentication(world, kind, id, body),
});

const PAGES: readonly Page[] = [
  { path: '/c/pay/:id', show: showCheckout, submit: submitCheckout },
  { path: '/p/session/:id', show: showPortal, submit: submitPortal },
  { path: '/i/:id', show: showInvoice, submit: submitInvoice },
  { path: '/i/:id/pdf', show: invoicePdf },
  authentication('payment'),
  authentication('setup'),
];

type Asked = { Params: { id: string }; Querystring: Record<string, string> };

/** The pages that Stripe hosts for customers. */
export function addPages(app: FastifyInstance, world: World): void {
  for (const { path, show, submit } of PAGES) {
    app.get<Asked>(path, (request, reply) =>
      send(world, reply, show(world, request.params.id, request.query)),
    );
    if (!submit) continue;
    app.post<Asked>(path, (request, reply) =>
      send(world, reply, submit(world, request.params.id, fieldsOf(request))),
    );
  }
}

function fieldsOf(request: FastifyRequest<Asked>): Fields {
  return Object.fromEntries(new URLSearchParams(typeof request.body === 'string' ? request.body : ''));
}

function send(world: World, reply: FastifyReply, page: Reply): FastifyReply {
  world.store.commit();
  if ('location' in page) return reply.redirect(page.location, 303);
  reply.code(page.status).header('cache-control', 'no-store');
  if ('pdf' in page) {
    const disposition = `attachment; filename="${page.name}"`;
    return reply.header('content-disposition', disposition).type('application/pdf').send(page.pdf);
  }
  const policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
  return reply.header('content-security-policy', policy).type('text/html; charset=utf-8').send(page.html);
}
