import type { Duplex } from 'node:stream';
import { createWebSocketStream, type WebSocket } from 'ws';
import type { OpenedConsole } from '#libs/consoles';
import { CONSOLE_CLOSE, type ConsoleClose } from '#libs/contracts';
import type { ConsoleLimits } from './console-limits.ts';
import { openRfbDoor, RfbRefusal } from './rfb-door.ts';

/** How each end is told to people; at most 123 bytes, as WebSockets have it. */
const REASONS: Readonly<Record<ConsoleClose, string>> = {
  ended: 'the machine was switched off',
  server_deleted: 'the server was deleted',
  server_suspended: 'the server is suspended',
  access_lost: 'who opened it has no access any more: sign in again',
  opened_elsewhere: 'the console was opened once more: the newest has it',
  idle: 'nothing has passed for a while',
  time_is_up: 'a console is open for some hours at most',
  not_there: 'the machine was started without this console: switch it off and on again, and it has one',
  in_use: 'somebody has it open on the host itself: try again when they have left it',
  host_unreachable: 'the host of the server does not answer: try again in a minute',
  wrong_password: 'the password is wrong: ask for another console',
};

/** A client that answers no ping is gone. */
const PING_SECONDS = 20;
/** A client that does not take its leave by then is left. */
const LEAVE_SECONDS = 5;

/**
 * One console from its opening to its end. What one side says is read as fast as the other takes it, and no faster: a guest
 * that prints without end waits for its reader.
 */
export class OpenConsole {
  private readonly socket: WebSocket;
  private readonly opened: OpenedConsole;
  private readonly limits: ConsoleLimits;
  private readonly whyEnded: () => Promise<ConsoleClose>;
  private source: Duplex | undefined;
  private idle: NodeJS.Timeout | undefined;
  private isOver = false;

  /** @param whyEnded is asked when the machine's side ends */
  constructor(
    socket: WebSocket,
    opened: OpenedConsole,
    limits: ConsoleLimits,
    whyEnded: () => Promise<ConsoleClose>,
  ) {
    this.socket = socket;
    this.opened = opened;
    this.limits = limits;
    this.whyEnded = whyEnded;
  }

  /** Resolves when it is over, however it ends. `source`: the machine's side, or why there is none. */
  async run(source: Duplex | ConsoleClose): Promise<void> {
    if (typeof source === 'string') return this.end(source);
    this.source = source;
    source.on('error', () => undefined);
    const client = createWebSocketStream(this.socket);
    client.on('error', () => undefined);
    this.socket.once('close', () => source.destroy());
    const stopWatching = this.watch();
    try {
      if (this.opened.kind === 'vnc') await openRfbDoor(client, source, this.opened.password);
      this.carry(client, source).catch(() => source.destroy());
      await this.carry(source, client).catch(() => undefined);
      if (!this.isOver) this.end(await this.whyEnded());
    } catch (error) {
      if (error instanceof RfbRefusal) this.end(error.isPassword ? 'wrong_password' : 'ended', error.message);
      else throw error;
    } finally {
      stopWatching();
      this.end('ended');
    }
  }

  /** Ends it at once, and says why; the first reason counts. */
  end(close: ConsoleClose, reason: string = REASONS[close]): void {
    if (this.isOver) return;
    this.isOver = true;
    this.source?.destroy();
    this.socket.close(CONSOLE_CLOSE[close], reason);
    const leave = setTimeout(() => this.socket.terminate(), LEAVE_SECONDS * 1000);
    this.socket.once('close', () => clearTimeout(leave));
  }

  /** Until one of them is over. What was read is on its way before more is. */
  private async carry(from: Duplex, to: Duplex): Promise<void> {
    for await (const bytes of from.iterator({ destroyOnReturn: false })) {
      this.idle?.refresh();
      await new Promise<void>((resolve, reject) => {
        to.write(bytes, (error) => (error ? reject(error) : resolve()));
      });
    }
  }

  private watch(): () => void {
    const { idleSeconds, openSeconds } = this.limits;
    const idle = setTimeout(() => this.end('idle'), idleSeconds * 1000);
    this.idle = idle;
    const open = setTimeout(() => this.end('time_is_up'), openSeconds * 1000);
    let isThere = true;
    this.socket.on('pong', () => {
      isThere = true;
    });
    const ping = setInterval(() => {
      if (!isThere) this.socket.terminate();
      isThere = false;
      if (this.socket.readyState === this.socket.OPEN) this.socket.ping();
    }, PING_SECONDS * 1000);
    return () => [idle, open, ping].forEach(clearInterval);
  }
}
