import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Relay } from './relay.ts';
import { parseTarget } from './target.ts';

/**
 * The relay's control, HTTP with JSON on a UNIX socket:
 * `GET /health`; `GET /relays` → `{relays: [{address, port, listenHost, listenPort}]}`;
 * `PUT /relays/10.77.0.50:22` → one such object; `DELETE /relays/10.77.0.50:22` → 204. All may be repeated.
 */
export function createRelayApi(relay: Relay): Server {
  return createServer((request, response) => {
    request.resume();
    answer(relay, request, response).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      send(response, 500, { error: { code: 'relay_failed', message } });
    });
  });
}

async function answer(relay: Relay, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url = '' } = request;
  if (method === 'GET' && url === '/health') return send(response, 200, { status: 'ok' });
  if (method === 'GET' && url === '/relays') return send(response, 200, { relays: relay.list() });
  if (!url.startsWith('/relays/'))
    return send(response, 404, { error: { code: 'not_found', message: `There is no ${url} here.` } });
  const target = parseTarget(decodeURIComponent(url.slice('/relays/'.length)));
  if (!target) {
    return send(response, 422, {
      error: {
        code: 'invalid_input',
        message: 'Name an address of the lab and a port, such as /relays/10.77.0.50:22.',
      },
    });
  }
  if (method === 'PUT') return send(response, 200, await relay.show(target));
  if (method === 'DELETE') {
    await relay.hide(target);
    return send(response, 204, undefined);
  }
  return send(response, 405, { error: { code: 'method_not_allowed', message: 'Use PUT or DELETE.' } });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
