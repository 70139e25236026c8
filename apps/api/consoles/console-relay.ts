import type { IncomingMessage, Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import proxyAddr from '@fastify/proxy-addr';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ENVIRONMENT, type Environment } from '#libs/config';
import { CONSOLES_PATH, errorStatus } from '#libs/contracts';
import { urlHost } from '#libs/kernel';
import { countedAddress, type RateLimiter, RateLimits } from '#libs/queue';
import { trustedProxies } from '../http/trusted-proxies.ts';

const OPENINGS_A_MINUTE = 60;
const PHRASES = { rate_limit_exceeded: 'Too Many Requests', unavailable: 'Service Unavailable' } as const;

/**
 * Passes the bytes of consoles on to a worker, which has the ways to the hosts and decides who may open what: this process,
 * which the world reaches, has none. Its own part is how often an address may try.
 */
@Injectable()
export class ConsoleRelay implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly open = new Set<Duplex>();
  private readonly limiter: RateLimiter;

  constructor(
    private readonly adapter: HttpAdapterHost,
    limits: RateLimits,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {
    this.limiter = limits.limiter({ name: 'consoles', limit: OPENINGS_A_MINUTE, windowSeconds: 60 });
  }

  onApplicationBootstrap(): void {
    const server: Server & { shouldUpgradeCallback?: (request: IncomingMessage) => boolean } =
      this.adapter.httpAdapter.getHttpServer();
    // Whatever else asks for another protocol is answered in this one.
    server.shouldUpgradeCallback = isForConsole;
    server.on('upgrade', (request, client, head) => {
      this.relay(request, client, head).catch(() => client.destroy());
    });
  }

  beforeApplicationShutdown(): void {
    for (const connection of this.open) connection.destroy();
  }

  private async relay(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    this.open.add(client);
    client.on('error', () => client.destroy()).once('close', () => this.open.delete(client));
    // As Fastify finds it for every other request.
    const ip = proxyAddr(request, trustedProxies(this.environment));
    if (!(await this.limiter.consume(countedAddress(ip))).allowed) {
      return refuse(client, 'rate_limit_exceeded', 'too many consoles were opened from here: wait a minute');
    }
    const worker = this.toWorker();
    const fail = () => refuse(client, 'unavailable', 'no worker answers: try again in a minute');
    worker.once('error', fail);
    client.once('close', () => worker.destroy());
    worker.once('connect', () => {
      worker.off('error', fail).on('error', () => client.destroy());
      worker.once('close', () => client.destroy());
      worker.write(headOf(request, ip));
      worker.write(head);
      client.pipe(worker).pipe(client);
    });
  }

  private toWorker(): Socket {
    const { SERVERY_WORKER_URL, SERVERY_WORKER_PORT } = this.environment;
    const url = new URL(SERVERY_WORKER_URL ?? `http://127.0.0.1:${SERVERY_WORKER_PORT}`);
    return connect({ host: urlHost(url), port: Number(url.port || 80), noDelay: true });
  }
}

function isForConsole({ url = '', headers }: IncomingMessage): boolean {
  return url.split('?', 1)[0] === CONSOLES_PATH && headers.upgrade?.toLowerCase() === 'websocket';
}

/** The request as it came, but for where it came from. */
function headOf({ method, url, rawHeaders }: IncomingMessage, ip: string): string {
  const lines = [`${method} ${url} HTTP/1.1`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() !== 'x-forwarded-for')
      lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  }
  return `${[...lines, `X-Forwarded-For: ${ip}`].join('\r\n')}\r\n\r\n`;
}

function refuse(client: Duplex, code: keyof typeof PHRASES, message: string): void {
  const body = JSON.stringify({ error: { code, message, details: null } });
  const status = `HTTP/1.1 ${errorStatus[code]} ${PHRASES[code]}`;
  const headers = ['content-type: application/json', `content-length: ${Buffer.byteLength(body)}`];
  client.end(`${[status, ...headers, 'connection: close'].join('\r\n')}\r\n\r\n${body}`);
}
