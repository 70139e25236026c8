import { request } from 'node:http';
import { connect, type Socket } from 'node:net';

/** Where guests are reached through: an HTTP proxy that knows CONNECT, on a UNIX socket. */
export interface GuestProxy {
  readonly socketPath: string;
}

/** Reads `unix:/path`; empty or undefined means none. @throws RangeError for anything else */
export function parseGuestProxy(setting: string | undefined): GuestProxy | undefined {
  if (!setting) return undefined;
  const socketPath = /^unix:(\/.+)$/.exec(setting)?.[1];
  if (socketPath === undefined) throw new RangeError('a guest proxy is written unix:/path/of/socket');
  return { socketPath };
}

/** Opens a TCP connection to a guest. Rejects where the guest refuses or stays silent for `timeoutSeconds`. */
export function dial(
  proxy: GuestProxy | undefined,
  address: string,
  port: number,
  timeoutSeconds: number,
): Promise<Socket> {
  return proxy
    ? dialThrough(proxy, `${address}:${port}`, timeoutSeconds)
    : dialDirectly(address, port, timeoutSeconds);
}

function dialDirectly(host: string, port: number, timeoutSeconds: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, timeout: timeoutSeconds * 1000 });
    socket.once('connect', () => {
      socket.setTimeout(0);
      resolve(socket);
    });
    socket.once('timeout', () => socket.destroy(new Error('timeout')));
    socket.once('error', reject);
  });
}

function dialThrough(proxy: GuestProxy, target: string, timeoutSeconds: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const ask = request({
      socketPath: proxy.socketPath,
      method: 'CONNECT',
      path: target,
      headers: { host: target },
      timeout: timeoutSeconds * 1000,
    });
    ask.once('connect', (response, socket: Socket, head) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        reject(new Error(`the guest proxy answered ${response.statusCode}`));
        return;
      }
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    ask.once('timeout', () => ask.destroy(new Error('timeout')));
    ask.once('error', reject);
    ask.end();
  });
}
