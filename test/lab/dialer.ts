import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { LabError } from './lab.errors.ts';
import type { Target } from './target.ts';

/**
 * Opens a connection to a guest through the gateway at `socketPath`. The connection may be half-open: end
 * both halves.
 * @throws LabError `unreachable` when the guest refuses, does not answer, or is no guest of this lab
 */
export function dialGuest(socketPath: string, target: Target, timeoutSeconds = 20): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const where = `${target.address}:${target.port}`;
    const fail = (why: string) =>
      reject(new LabError('unreachable', `${where} cannot be reached through the lab's gateway: ${why}.`));
    const socket = connect({ path: socketPath, allowHalfOpen: true });
    const giveUp = () => socket.destroy(new Error(`no answer within ${timeoutSeconds} s`));
    const timer = setTimeout(giveUp, timeoutSeconds * 1000);
    const ask = request({
      method: 'CONNECT',
      path: where,
      host: where,
      createConnection: () => socket,
    });
    ask.once('connect', (response, _socket, head) => {
      clearTimeout(timer);
      if (response.statusCode !== 200) {
        socket.destroy();
        return fail(`${response.statusCode} ${response.statusMessage}`);
      }
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    ask.once('error', (error) => {
      clearTimeout(timer);
      fail(error.message);
    });
    ask.end();
  });
}
