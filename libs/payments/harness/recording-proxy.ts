import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** One call that went through the proxy. */
export interface RecordedCall {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  readonly idempotencyKey: string | undefined;
  readonly body: string;
  readonly status: number;
  readonly answer: unknown;
}

/** Stands between a client and a server on loopback, and keeps what they say. */
export async function startRecordingProxy(target: string) {
  const calls: RecordedCall[] = [];
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers;
    const method = request.method ?? 'GET';
    const answer = await fetch(`${target}${request.url}`, {
      method,
      headers: headers as Record<string, string>,
      ...(method === 'POST' ? { body: new Uint8Array(body) } : {}),
    }).catch(() => undefined);
    if (!answer) {
      response.destroy();
      return;
    }
    const text = await answer.text();
    const key = request.headers['idempotency-key'];
    calls.push({
      method,
      url: request.url ?? '',
      idempotencyKey: typeof key === 'string' ? key : undefined,
      body: body.toString('utf8'),
      status: answer.status,
      answer: JSON.parse(text),
    });
    const requestId = answer.headers.get('request-id') ?? '';
    response
      .writeHead(answer.status, { 'content-type': 'application/json', 'request-id': requestId })
      .end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    calls,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
