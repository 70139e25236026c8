import { setTimeout as wait } from 'node:timers/promises';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { balanceRoutes } from './balance.ts';
import { checkoutRoutes } from './checkout.ts';
import { customerBalanceRoutes } from './customer-balance.ts';
import { customerRoutes } from './customers.ts';
import { disputeRoutes } from './disputes.ts';
import { eventRoutes } from './events.ts';
import type { ApiFault, Faults } from './faults.ts';
import { parseForm } from './form.ts';
import { Idempotency } from './idempotency.ts';
import { invoiceItemRoutes } from './invoice-items.ts';
import { invoicePaymentRoutes, invoiceRoutes } from './invoices.ts';
import { addPages } from './page-routes.ts';
import { messagePage } from './pages.ts';
import { paymentIntentRoutes } from './payment-intents.ts';
import { paymentMethodRoutes } from './payment-methods.ts';
import { payoutRoutes } from './payouts.ts';
import { portalRoutes } from './portal.ts';
import { StripeProblem } from './problem.ts';
import { refundRoutes } from './refunds.ts';
import type { Route } from './routes.ts';
import { setupIntentRoutes } from './setup-intents.ts';
import { testClockRoutes } from './test-clocks.ts';
import { API_VERSION, stripeId, type World } from './world.ts';

export const ROUTES: readonly Route[] = [
  ...customerRoutes,
  ...paymentMethodRoutes,
  ...setupIntentRoutes,
  ...checkoutRoutes,
  ...paymentIntentRoutes,
  ...refundRoutes,
  ...customerBalanceRoutes,
  ...invoiceItemRoutes,
  ...invoiceRoutes,
  ...invoicePaymentRoutes,
  ...disputeRoutes,
  ...balanceRoutes,
  ...payoutRoutes,
  ...portalRoutes,
  ...testClockRoutes,
  ...eventRoutes,
];

interface Answer {
  readonly status: number;
  readonly body: object;
  readonly requestId: string;
  readonly isReplayed: boolean;
}

/** Longer than any client waits. */
const NEVER_MILLISECONDS = 120_000;

/** The HTTP face: Stripe's API under /v1, the hosted pages beside it. */
export function buildServer(world: World, faults: Faults, apiKey: string): FastifyInstance {
  const app = fastify({ bodyLimit: 256 * 1024, forceCloseConnections: true });
  const idempotency = new Idempotency(world);
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, body),
  );
  for (const route of ROUTES) {
    app.route({
      method: route.method,
      url: route.path,
      handler: (request, reply) => serve(world, faults, idempotency, apiKey, route, request, reply),
    });
  }
  addPages(app, world);
  app.setNotFoundHandler((request, reply) => {
    if (!request.url.startsWith('/v1/')) {
      return reply
        .code(404)
        .type('text/html; charset=utf-8')
        .send(messagePage('Nothing here', 'No such page.'));
    }
    const path = request.url.split('?')[0];
    const message = `Unrecognized request URL (${request.method}: ${path}). The emulator does not serve it, or it does not exist.`;
    return send(
      reply,
      problemAnswer(new StripeProblem(404, { type: 'invalid_request_error', message }), newRequestId()),
    );
  });
  app.setErrorHandler((error: { statusCode?: number; message: string }, _request, reply) => {
    const status = error.statusCode ?? 500;
    const type = status < 500 ? 'invalid_request_error' : 'api_error';
    return send(
      reply,
      problemAnswer(new StripeProblem(status, { type, message: error.message }), newRequestId()),
    );
  });
  return app;
}

const newRequestId = () => stripeId('req', 14);

async function serve(
  world: World,
  faults: Faults,
  idempotency: Idempotency,
  apiKey: string,
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const requestId = newRequestId();
  try {
    authorize(request.headers.authorization, apiKey);
    const fault = faults.takeApi(`${route.method} ${route.path}`);
    if (await failsBefore(fault, reply)) return reply;
    const answer = await runOnce(world, idempotency, route, request, requestId, fault);
    if (await failsAfter(fault, reply)) return reply;
    return send(reply, answer);
  } catch (error) {
    if (!(error instanceof StripeProblem)) throw error;
    return send(reply, problemAnswer(error, requestId));
  }
}

function authorize(header: string | undefined, apiKey: string): void {
  const [scheme, value = ''] = (header ?? '').split(' ');
  const given = scheme === 'Basic' ? Buffer.from(value, 'base64').toString().split(':')[0] : value;
  if (given === apiKey) return;
  const message = given
    ? 'Invalid API Key provided.'
    : "You did not provide an API key. Use the Authorization header: 'Bearer YOUR_SECRET_KEY'.";
  throw new StripeProblem(401, { type: 'invalid_request_error', message });
}

/** Runs a request under its key: at most once, whatever is sent again. */
async function runOnce(
  world: World,
  idempotency: Idempotency,
  route: Route,
  request: FastifyRequest,
  requestId: string,
  fault: ApiFault | undefined,
): Promise<Answer> {
  const body = typeof request.body === 'string' ? request.body : (request.url.split('?')[1] ?? '');
  const header = request.headers['idempotency-key'];
  const key = route.method === 'POST' && typeof header === 'string' && header !== '' ? header : undefined;
  const fingerprint = idempotency.fingerprint(request.method, request.url, body);
  const saved = key && idempotency.claim(key, fingerprint);
  if (saved) return { ...saved, isReplayed: true };
  try {
    if (fault?.effect === 'latency') await wait(fault.milliseconds);
    const answer = run(world, route, request, body, requestId, key ?? null, fault);
    if (key) idempotency.save({ id: key, fingerprint, status: answer.status, body: answer.body, requestId });
    return answer;
  } finally {
    if (key) idempotency.release(key);
    world.store.commit();
  }
}

/** Checks, then acts. A refusal while acting is an answer, and is remembered by its key. */
function run(
  world: World,
  route: Route,
  request: FastifyRequest,
  body: string,
  requestId: string,
  key: string | null,
  fault: ApiFault | undefined,
): Answer {
  const act = route.prepare(parseForm(body));
  if (fault?.effect === 'error_500') return problemAnswer(brokenAnswer(), requestId);
  world.request = { id: requestId, idempotency_key: key };
  try {
    const result = act(world, request.params as { id: string });
    if (fault?.effect === 'error_500_after') return problemAnswer(brokenAnswer(), requestId);
    return { status: 200, body: result, requestId, isReplayed: false };
  } catch (error) {
    if (error instanceof StripeProblem) return problemAnswer(error, requestId);
    throw error;
  } finally {
    world.request = { id: null, idempotency_key: null };
  }
}

const brokenAnswer = () =>
  new StripeProblem(500, { type: 'api_error', message: 'An unknown error occurred (asked for by a fault).' });

async function failsBefore(fault: ApiFault | undefined, reply: FastifyReply): Promise<boolean> {
  if (fault?.effect === 'error_429') {
    const message = 'Request rate limit exceeded.';
    throw new StripeProblem(429, { type: 'invalid_request_error', code: 'rate_limit', message });
  }
  if (fault?.effect === 'error_409') {
    const message = 'This object cannot be accessed right now because another request is using it.';
    throw new StripeProblem(409, { type: 'invalid_request_error', code: 'lock_timeout', message });
  }
  if (fault?.effect === 'cut_before') return cut(reply, 0);
  return fault?.effect === 'timeout_before' && cut(reply, NEVER_MILLISECONDS);
}

async function failsAfter(fault: ApiFault | undefined, reply: FastifyReply): Promise<boolean> {
  if (fault?.effect === 'cut_after') return cut(reply, 0);
  if (fault?.effect === 'late_answer') await wait(fault.milliseconds);
  return fault?.effect === 'timeout_after' && cut(reply, NEVER_MILLISECONDS);
}

/** Leaves the client without an answer. */
function cut(reply: FastifyReply, milliseconds: number): true {
  reply.hijack();
  const socket = reply.raw.socket;
  if (milliseconds === 0) socket?.destroy();
  else setTimeout(() => socket?.destroy(), milliseconds).unref();
  return true;
}

function problemAnswer(problem: StripeProblem, requestId: string): Answer {
  return { status: problem.status, body: { error: problem.body }, requestId, isReplayed: false };
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.header('request-id', answer.requestId).header('stripe-version', API_VERSION);
  if (answer.isReplayed)
    reply.header('idempotent-replayed', 'true').header('original-request', answer.requestId);
  if (answer.status >= 500) reply.header('stripe-should-retry', 'false');
  return reply
    .code(answer.status)
    .type('application/json')
    .send(JSON.stringify(answer.body, null, 2));
}
