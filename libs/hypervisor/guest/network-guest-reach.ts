import { request } from 'node:http';
import type { Socket } from 'node:net';
import type { GuestReach, HttpAnswer } from '../port/guest-reach.ts';
import type { HostRef } from '../port/hosts.ts';
import { dial, type GuestProxy } from './dial.ts';
import { readHostKey } from './ssh-host-key.ts';

const TIMEOUT_SECONDS = 5;
/** A guest under emulation takes seconds for one key exchange. */
const KEY_EXCHANGE_SECONDS = 20;
const MAX_BODY_BYTES = 64 * 1024;

/** Looks at guests over the network: directly, or through a proxy into the network that they are in. */
export class NetworkGuestReach implements GuestReach {
  private readonly proxy: GuestProxy | undefined;

  constructor(proxy?: GuestProxy) {
    this.proxy = proxy;
  }

  readSshHostKey(_host: HostRef, address: string, port: number): Promise<string | null> {
    return this.with(address, port, KEY_EXCHANGE_SECONDS, (socket) =>
      readHostKey(socket, KEY_EXCHANGE_SECONDS),
    );
  }

  httpGet(
    _host: HostRef,
    address: string,
    port: number,
    path: string,
    { timeoutSeconds = TIMEOUT_SECONDS }: { readonly timeoutSeconds?: number } = {},
  ): Promise<HttpAnswer | null> {
    return this.with(address, port, timeoutSeconds, (socket) =>
      get(socket, `${address}:${port}`, path, timeoutSeconds),
    );
  }

  async tcpOpen(_host: HostRef, address: string, port: number): Promise<boolean> {
    return (await this.with(address, port, TIMEOUT_SECONDS, async () => true)) ?? false;
  }

  private async with<T>(
    address: string,
    port: number,
    timeoutSeconds: number,
    talk: (socket: Socket) => Promise<T>,
  ): Promise<T | null> {
    let socket: Socket | undefined;
    try {
      socket = await dial(this.proxy, address, port, timeoutSeconds);
      socket.on('error', () => undefined);
      return await talk(socket);
    } catch {
      return null;
    } finally {
      socket?.destroy();
    }
  }
}

function get(socket: Socket, host: string, path: string, timeoutSeconds: number): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const ask = request({
      createConnection: () => socket,
      path,
      headers: { host, connection: 'close' },
      signal: AbortSignal.timeout(timeoutSeconds * 1000),
    });
    ask.once('error', reject);
    ask.once('response', (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      const finish = () =>
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString('utf8'),
        });
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length < MAX_BODY_BYTES) return;
        finish();
        response.destroy();
      });
      response.once('end', finish);
      response.once('error', reject);
    });
    ask.end();
  });
}
