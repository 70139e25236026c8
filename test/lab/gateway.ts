import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { splice } from './splice.ts';
import { parseTarget } from './target.ts';

const CONNECT_TIMEOUT_MS = 15_000;

/** Answers to a CONNECT that fails, by what the system says of the connection. */
const REFUSALS: Readonly<Record<string, readonly [status: string, code: string]>> = {
  ECONNREFUSED: ['502 Bad Gateway', 'connection_refused'],
  EHOSTUNREACH: ['504 Gateway Timeout', 'host_unreachable'],
  ETIMEDOUT: ['504 Gateway Timeout', 'timeout'],
};

/**
 * The way into the guests' network: an HTTP proxy that knows CONNECT alone. It runs in the switch's
 * namespace and listens on a UNIX socket, which processes of any namespace can reach.
 */
export function createGateway(): Server {
  const server = createServer((request, response) => {
    const healthy = request.url === '/health';
    response.writeHead(healthy ? 200 : 404, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify(
        healthy ? { status: 'ok' } : { error: { code: 'not_found', message: 'This is a CONNECT proxy.' } },
      ),
    );
  });
  server.on('connect', tunnel);
  return server;
}

function tunnel(request: IncomingMessage, client: Duplex, head: Buffer): void {
  client.on('error', () => client.destroy());
  const target = parseTarget(request.url ?? '');
  if (!target) {
    refuse(client, '403 Forbidden', 'address_not_allowed');
    return;
  }
  const guest = connect({ host: target.address, port: target.port, allowHalfOpen: true, noDelay: true });
  const timer = setTimeout(
    () => guest.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })),
    CONNECT_TIMEOUT_MS,
  );
  const giveUp = () => guest.destroy();
  const fail = (error: NodeJS.ErrnoException) => {
    clearTimeout(timer);
    const [status, code] = REFUSALS[error.code ?? ''] ?? ['502 Bad Gateway', 'connection_failed'];
    refuse(client, status, code);
  };
  client.once('close', giveUp);
  guest.once('error', fail);
  guest.once('connect', () => {
    clearTimeout(timer);
    client.off('close', giveUp);
    guest.off('error', fail);
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    if (head.length > 0) guest.write(head);
    splice(client, guest);
  });
}

function refuse(client: Duplex, status: string, code: string): void {
  const body = JSON.stringify({ error: { code, message: status } });
  client.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
