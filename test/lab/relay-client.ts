import { request } from 'node:http';
import { LabError } from './lab.errors.ts';
import type { RelayedPort } from './relay.ts';
import type { Target } from './target.ts';

/** Asks the relay at `socketPath` to show a guest's port at 127.0.0.1; asking again gives the same port. */
export async function showPort(socketPath: string, target: Target): Promise<RelayedPort> {
  return (await ask(socketPath, 'PUT', `/relays/${target.address}:${target.port}`)) as RelayedPort;
}

/** Asks the relay to hide a guest's port; hiding what is not shown does nothing. */
export async function hidePort(socketPath: string, target: Target): Promise<void> {
  await ask(socketPath, 'DELETE', `/relays/${target.address}:${target.port}`);
}

export async function shownPorts(socketPath: string): Promise<RelayedPort[]> {
  return ((await ask(socketPath, 'GET', '/relays')) as { relays: RelayedPort[] }).relays;
}

function ask(socketPath: string, method: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) =>
      reject(new LabError('relay_failed', `The lab's relay: ${why} (${method} ${path}). Run: lab up`));
    const call = request({ socketPath, method, path, timeout: 10_000 }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      const isOk = (response.statusCode ?? 500) < 300;
      isOk ? resolve(text ? JSON.parse(text) : undefined) : fail(`${response.statusCode} ${text}`);
    });
    call.once('timeout', () => call.destroy(new Error('no answer within 10 s')));
    call.once('error', (error) => fail(error.message));
    call.end();
  });
}
