import type { IncomingMessage, Server } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { PinoLogger } from 'nestjs-pino';
import { WebSocketServer } from 'ws';
import { SESSION_COOKIE } from '#libs/accounts';
import { ENVIRONMENT, type Environment } from '#libs/config';
import { ConsoleOpenings, ConsolesError, type OpenedConsole, type Presented } from '#libs/consoles';
import { CONSOLES_PATH, type ConsoleClose } from '#libs/contracts';
import { CONSOLE_LIMITS, type ConsoleLimits } from './console-limits.ts';
import { MachineConsoles } from './machine-consoles.ts';
import { OpenConsole } from './open-console.ts';

/** What is typed is short; what is pasted may be longer, and then comes in parts. */
const MAX_MESSAGE_BYTES = 64 * 1024;
/** What older clients of consoles ask for, and what they all speak. */
const SUBPROTOCOL = 'binary';

/**
 * Where consoles are opened, beside the worker's other pages; the API passes them on to here. A console is between its
 * client and its host alone: no bytes of it lie in a queue or a database.
 */
@Injectable()
export class ConsoleGateway implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  private readonly open = new Map<number, OpenConsole>();
  private looking: NodeJS.Timeout | undefined;

  constructor(
    private readonly adapter: HttpAdapterHost,
    private readonly openings: ConsoleOpenings,
    private readonly machines: MachineConsoles,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    @Inject(CONSOLE_LIMITS) private readonly limits: ConsoleLimits,
    private readonly log: PinoLogger,
  ) {}

  onApplicationBootstrap(): void {
    const server: Server & { shouldUpgradeCallback?: (request: IncomingMessage) => boolean } =
      this.adapter.httpAdapter.getHttpServer();
    server.shouldUpgradeCallback = ({ url = '' }) => url.split('?', 1)[0] === CONSOLES_PATH;
    server.on('upgrade', (request, client, head) => {
      this.admit(request, client, head).catch((err: unknown) => {
        if (!(err instanceof ConsolesError)) this.log.error({ err }, 'a console could not be opened');
        refuse(client, err);
      });
    });
    this.looking = setInterval(() => void this.look(), this.limits.lookEverySeconds * 1000);
  }

  beforeApplicationShutdown(): void {
    clearInterval(this.looking);
    for (const console of this.open.values()) console.end('ended', 'this worker is stopped: open it again');
  }

  private async admit(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    client.on('error', () => client.destroy());
    const opened = await this.openings.open(presentedBy(request, this.environment.SERVERY_URL));
    // The one before it goes at once where it is ours: a host has each console once.
    await this.look();
    const source = await this.machines.reach(opened);
    if (client.destroyed) return this.abandon(opened, source);
    // Of a client that does not shake hands as it should, nothing else is heard.
    const giveUp = () => void this.abandon(opened, source);
    client.once('close', giveUp);
    this.sockets.handleUpgrade(request, client, head, (socket) => {
      client.off('close', giveUp);
      void this.run(
        new OpenConsole(socket, opened, this.limits, () => this.whyEnded(opened.id)),
        opened,
        source,
      );
    });
  }

  private async run(
    console: OpenConsole,
    opened: OpenedConsole,
    source: Duplex | ConsoleClose,
  ): Promise<void> {
    this.open.set(opened.id, console);
    await console.run(source).catch((err: unknown) => {
      this.log.info({ err, consoleId: opened.id }, 'a console broke off');
    });
    this.open.delete(opened.id);
    await this.abandon(opened, source);
  }

  private async abandon({ id }: OpenedConsole, source: Duplex | ConsoleClose): Promise<void> {
    if (typeof source !== 'string') source.destroy();
    await this.openings.close(id).catch((err: unknown) => {
      this.log.warn({ err, consoleId: id }, 'a closed console still stands as open');
    });
  }

  /** A machine whose server is deleted or suspended is switched off first of all. */
  private async whyEnded(id: number): Promise<ConsoleClose> {
    return (await this.openings.cuts([id])).get(id) ?? 'ended';
  }

  /** Nobody keeps a console whose right to it cannot be looked up. */
  private async look(): Promise<void> {
    const ids = [...this.open.keys()];
    if (ids.length === 0) return;
    try {
      for (const [id, cut] of await this.openings.cuts(ids)) this.open.get(id)?.end(cut);
    } catch (err) {
      this.log.error({ err }, 'consoles are cut, for the database does not answer');
      for (const id of ids) this.open.get(id)?.end('ended', 'it could not be looked up: open it again');
    }
  }
}

function presentedBy({ url = '', headers }: IncomingMessage, ownUrl: string): Presented {
  const query = new URL(url, ownUrl).searchParams;
  const ip = String(headers['x-forwarded-for'] ?? '');
  const [, apiToken] = /^Bearer +([A-Za-z0-9]+)$/i.exec(headers.authorization ?? '') ?? [];
  return {
    token: query.get('token') ?? '',
    serverId: Number(query.get('server_id')),
    origin: headers.origin,
    ownOrigin: new URL(ownUrl).origin,
    sessionToken: cookieOf(headers.cookie, SESSION_COOKIE),
    apiToken,
    ip: isIP(ip) === 0 ? null : ip,
  };
}

function cookieOf(header: string | undefined, name: string): string | undefined {
  const cookies = (header ?? '').split(';').map((part) => part.trim());
  return cookies.find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1);
}

function refuse(client: Duplex, error: unknown): void {
  const isKnown = error instanceof ConsolesError;
  const [status, code] = isKnown
    ? ['403 Forbidden', 'forbidden']
    : ['503 Service Unavailable', 'unavailable'];
  const message = isKnown ? error.message : 'consoles cannot be opened now: try again in a minute';
  const details = isKnown ? { reason: error.code } : null;
  const body = JSON.stringify({ error: { code, message, details } });
  const headers = ['content-type: application/json', `content-length: ${Buffer.byteLength(body)}`];
  client.end(`${[`HTTP/1.1 ${status}`, ...headers, 'connection: close'].join('\r\n')}\r\n\r\n${body}`);
}
