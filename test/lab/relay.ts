import { readFile, rename, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { dialGuest } from './dialer.ts';
import { breakOff, splice } from './splice.ts';
import { parseTarget, type Target } from './target.ts';

/** Shows `target` at 127.0.0.1:`listenPort`. */
export interface RelayedPort extends Target {
  readonly listenHost: '127.0.0.1';
  readonly listenPort: number;
}

interface OpenRelay {
  readonly shown: RelayedPort;
  readonly server: Server;
  readonly clients: Set<Socket>;
}

/**
 * Ports of 127.0.0.1 that lead to ports of guests. What was opened is kept in a file, and comes back with
 * the same ports after a restart, unless another program has taken one since: then it gets a new one.
 */
export class Relay {
  readonly #gatewaySocket: string;
  readonly #stateFile: string;
  readonly #relays = new Map<string, OpenRelay>();
  /** Changes run one after another, so that two requests for one target get one port. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(gatewaySocket: string, stateFile: string) {
    this.#gatewaySocket = gatewaySocket;
    this.#stateFile = stateFile;
  }

  /** Opens again what the state file lists; a missing or broken file counts as empty. */
  async restore(): Promise<void> {
    const text = await readFile(this.#stateFile, 'utf8').catch(() => '[]');
    for (const { target, listenPort } of readState(text)) await this.#open(target, listenPort);
    await this.#save();
  }

  list(): RelayedPort[] {
    return [...this.#relays.values()].map((relay) => relay.shown);
  }

  /** Shows a port of a guest; asking again gives the same answer. */
  show(target: Target): Promise<RelayedPort> {
    return this.#inTurn(async () => {
      const open = this.#relays.get(keyOf(target));
      if (open) return open.shown;
      const shown = await this.#open(target, 0);
      await this.#save();
      return shown;
    });
  }

  /** Hides a port of a guest and ends its connections; hiding what is not shown does nothing. */
  hide(target: Target): Promise<void> {
    return this.#inTurn(async () => {
      const open = this.#relays.get(keyOf(target));
      if (!open) return;
      this.#relays.delete(keyOf(target));
      open.server.close();
      for (const client of open.clients) breakOff(client);
      await this.#save();
    });
  }

  async #open(target: Target, wantedPort: number): Promise<RelayedPort> {
    const clients = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
      clients.add(client);
      client.once('close', () => clients.delete(client));
      void this.#relayOne(client, target);
    });
    const listenPort = await listen(server, wantedPort).catch((error: NodeJS.ErrnoException) => {
      if (wantedPort === 0 || error.code !== 'EADDRINUSE') throw error;
      return listen(server, 0);
    });
    const shown: RelayedPort = { ...target, listenHost: '127.0.0.1', listenPort };
    this.#relays.set(keyOf(target), { shown, server, clients });
    return shown;
  }

  async #relayOne(client: Socket, target: Target): Promise<void> {
    client.on('error', () => client.destroy());
    try {
      const guest = await dialGuest(this.#gatewaySocket, target);
      if (client.destroyed) {
        guest.destroy();
        return;
      }
      splice(client, guest);
    } catch {
      breakOff(client);
    }
  }

  async #save(): Promise<void> {
    await writeFile(`${this.#stateFile}.part`, `${JSON.stringify(this.list(), null, 2)}\n`);
    await rename(`${this.#stateFile}.part`, this.#stateFile);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

const keyOf = (target: Target) => `${target.address}:${target.port}`;

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function readState(text: string): { target: Target; listenPort: number }[] {
  try {
    const entries = JSON.parse(text) as Partial<RelayedPort>[];
    return entries.flatMap(({ address, port, listenPort }) => {
      const target = parseTarget(`${address}:${port}`);
      return target && Number.isInteger(listenPort) ? [{ target, listenPort: Number(listenPort) }] : [];
    });
  } catch {
    return [];
  }
}
