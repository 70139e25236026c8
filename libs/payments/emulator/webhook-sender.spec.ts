import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebhookSender } from './webhook-sender.ts';

const answers: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
  '/good': (_, response) => response.writeHead(204).end(),
  '/elsewhere': (_, response) => response.writeHead(302, { location: '/good' }).end(),
  '/bad': (_, response) => response.writeHead(500).end('no'),
  '/cut-before': (request) => request.socket.destroy(),
  '/cut-amid': (_, response) => {
    response.writeHead(200, { 'content-length': 100 }).write('half');
    setTimeout(() => response.socket?.destroy(), 20);
  },
  '/never': () => {},
};
const heard: string[] = [];
const server = createServer((request, response) => {
  heard.push(String(request.url));
  request.resume().once('end', () => answers[String(request.url)]?.(request, response));
});
const sender = new WebhookSender();
let url = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  sender.close();
  server.close();
});

it('tells who took an event from who did not, however that went', async () => {
  const post = (path: string) => sender.post(`${url}${path}`, 'body', {});
  expect(await post('/good')).toBe(true);
  for (const path of ['/elsewhere', '/bad', '/cut-before', '/cut-amid'])
    expect(await post(path), path).toBe(false);
  expect(heard).toEqual(['/good', '/elsewhere', '/bad', '/cut-before', '/cut-amid']);
  expect(await sender.post('http://127.0.0.1:1/', 'body', {})).toBe(false);
  expect(await sender.post('no address', 'body', {})).toBe(false);
});

it('lets go of what is under way when it is closed', async () => {
  const closed = new WebhookSender();
  const waiting = closed.post(`${url}/never`, 'body', {});
  await expect.poll(() => heard.at(-1)).toBe('/never');
  closed.close();
  expect(await waiting).toBe(false);
});
