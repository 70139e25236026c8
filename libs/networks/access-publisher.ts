import { request } from 'node:http';
import { DomainError } from '#libs/kernel';

/** Where a port of a server is reached by its owner. */
export interface PublishedPort {
  readonly host: string;
  readonly port: number;
}

/** Makes servers' ports reachable for their owners. All may be repeated. */
export interface AccessPublisher {
  publish(ip: string, port: number): Promise<PublishedPort>;
  /** Success where nothing was published. */
  withdraw(ip: string, port: number): Promise<void>;
  /** The ports of an address that are published and can be withdrawn. */
  published(ip: string): Promise<readonly number[]>;
}

/** Nest token of the AccessPublisher. */
export const ACCESS_PUBLISHER = Symbol('AccessPublisher');

/** Servers with addresses that their owners can reach: nothing to do. */
export const directAccess: AccessPublisher = {
  publish: async (ip, port) => ({ host: ip, port }),
  withdraw: async () => {},
  published: async () => [],
};

/**
 * Servers behind a relay that shows their ports elsewhere, controlled by HTTP on a UNIX socket:
 * `setting` is `unix:/path/of/socket`, or the path alone. `PUT /relays/IP:PORT` answers `{listenHost, listenPort}`, `DELETE` takes it back,
 * and `GET /relays` answers `{relays: [{address, port}]}`.
 */
export function relayAccess(setting: string): AccessPublisher {
  const socketPath = setting.replace(/^unix:/, '');
  return {
    async publish(ip, port) {
      const shown = await ask(socketPath, 'PUT', `/relays/${ip}:${port}`);
      const { listenHost, listenPort } = JSON.parse(shown) as { listenHost: string; listenPort: number };
      return { host: listenHost, port: listenPort };
    },
    async withdraw(ip, port) {
      await ask(socketPath, 'DELETE', `/relays/${ip}:${port}`);
    },
    async published(ip) {
      const listed = await ask(socketPath, 'GET', '/relays');
      const { relays } = JSON.parse(listed) as { relays: { address: string; port: number }[] };
      return relays.filter(({ address }) => address === ip).map(({ port }) => port);
    },
  };
}

const TIMEOUT_MILLISECONDS = 10_000;

function ask(socketPath: string, method: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(
        new DomainError(
          'unavailable',
          'relay_unavailable',
          `the relay at ${socketPath} did not answer as it should`,
          {
            cause,
          },
        ),
      );
    const call = request({ socketPath, method, path, timeout: TIMEOUT_MILLISECONDS }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        if ((response.statusCode ?? 500) < 300) resolve(body);
        else fail(new Error(`${response.statusCode} ${body}`));
      });
    });
    call.on('timeout', () => call.destroy(new Error('timed out')));
    call.on('error', fail);
    call.end();
  });
}
