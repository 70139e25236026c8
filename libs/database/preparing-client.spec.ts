import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { createDataSource } from './data-source.ts';

const AUTHENTICATION_OK = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]);
const READY_FOR_QUERY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);
const SHUT_DOWN = errorResponse('SFATAL', 'C57P01', 'Mterminating connection due to administrator command');

/** PostgreSQL's message of that name: a length, fields that end with a zero, and another zero. */
function errorResponse(...fields: readonly string[]): Buffer {
  const body = Buffer.from(`${fields.map((field) => `${field}\0`).join('')}\0`);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length + length.length);
  return Buffer.concat([Buffer.from('E'), length, body]);
}

it('a connection that is cut in the moment it is made fails its query, and not the process', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(Buffer.concat([AUTHENTICATION_OK, READY_FOR_QUERY, SHUT_DOWN])));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const dataSource = createDataSource(`postgres://anna@127.0.0.1:${port}/none`);
  await expect(dataSource.initialize()).rejects.toThrow(/terminat|not queryable/);
  server.close();
});
