import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CONSOLES_PATH } from '#libs/contracts';
import { testApi } from '../../../test/api/test-api.ts';
import { freePort } from '../../../test/support/ports.ts';

const workerPort = await freePort();
const api = testApi(undefined, {
  SERVERY_WORKER_URL: `http://127.0.0.1:${workerPort}`,
  SERVERY_TRUST_PROXY: 'yes',
});
let worker: Server;
let apiPort: number;

beforeAll(async () => {
  worker = createServer().listen(workerPort, '127.0.0.1');
  await once(worker, 'listening');
  await api.current.api.app.listen(0, '127.0.0.1');
  apiPort = (api.current.api.app.getHttpServer().address() as AddressInfo).port;
});
afterAll(() => worker.close());

/** What a worker reads of a request for a console that the proxy passes on with these addresses. */
async function headFor(forwarded: string): Promise<string> {
  const upgrade = { connection: 'upgrade', upgrade: 'websocket', 'x-forwarded-for': forwarded };
  const asking = request({ host: '127.0.0.1', port: apiPort, path: CONSOLES_PATH, headers: upgrade });
  asking.on('error', () => {}).end();
  const [passedOn] = (await once(worker, 'connection')) as [Socket];
  const [head] = await once(passedOn.setEncoding('latin1'), 'data');
  passedOn.destroy();
  asking.destroy();
  return head;
}

it('a worker is told of the client that the reverse proxy saw, whatever the client says of itself', async () => {
  for (const forwarded of ['192.0.2.3', '203.0.113.1, 192.0.2.3', '203.0.113.1,203.0.113.2,192.0.2.3']) {
    const addresses = (await headFor(forwarded)).match(/^x-forwarded-for:.*$/gim);
    expect([forwarded, addresses]).toEqual([
      forwarded,
      [expect.stringMatching(/^x-forwarded-for: 192\.0\.2\.3$/i)],
    ]);
  }
});
