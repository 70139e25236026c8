import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import fastify from 'fastify';
import { SMTPServer } from 'smtp-server';
import { Mailbox, type SunkMail } from './mailbox.ts';
import { addMailPages } from './pages.ts';

export interface SinkOptions {
  /** 0 for any free port, here and there. */
  readonly smtpPort: number;
  readonly httpPort: number;
  /** Keeps mails across restarts; without it, all is forgotten. */
  readonly folder?: string;
  /** Mails that are kept; 500 unless told. */
  readonly most?: number;
  /** Refuses a recipient by a reply of SMTP, such as `550 5.1.1 no such user`. */
  readonly refuse?: (recipient: string) => string | undefined;
}

export interface MailSink {
  /** For SMTP_URL. */
  readonly smtpUrl: string;
  /** Where people read the mails. */
  readonly url: string;
  /** The newest first. */
  mails(): readonly SunkMail[];
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
const MOST_MAILS = 500;
const MOST_BYTES = 1024 * 1024;
const CLOSE_MILLISECONDS = 1000;

/** A mail server on this machine that takes everything and passes nothing on, with a page to read it. */
export async function startMailSink(options: SinkOptions): Promise<MailSink> {
  const mailbox = new Mailbox({ folder: options.folder, most: options.most ?? MOST_MAILS });
  const smtp = smtpServer(mailbox, options);
  const smtpPort = await listen(smtp, options.smtpPort);
  const app = fastify({ forceCloseConnections: true });
  addMailPages(app, mailbox);
  await app.listen({ host: HOST, port: options.httpPort });
  return {
    smtpUrl: `smtp://${HOST}:${smtpPort}`,
    url: `http://${HOST}:${(app.server.address() as AddressInfo).port}`,
    mails: () => mailbox.list(),
    async close() {
      await Promise.all([app.close(), new Promise<void>((resolve) => smtp.close(() => resolve()))]);
    },
  };
}

/** Without TLS and passwords: it listens on loopback alone. */
function smtpServer(mailbox: Mailbox, { refuse }: SinkOptions): SMTPServer {
  return new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: MOST_BYTES,
    closeTimeout: CLOSE_MILLISECONDS,
    onRcptTo({ address }, _session, callback) {
      const reply = refuse?.(address);
      callback(reply === undefined ? null : refusal(reply));
    },
    onData(stream, { envelope }, callback) {
      const recipients = envelope.rcptTo.map(({ address }) => address);
      buffer(stream)
        .then((raw) => {
          if (stream.sizeExceeded) throw refusal('552 5.3.4 too large');
          return mailbox.add(raw, recipients);
        })
        .then(() => callback(null), callback);
    },
  });
}

function refusal(reply: string): Error & { responseCode: number } {
  return Object.assign(new Error(reply.slice(4)), { responseCode: Number(reply.slice(0, 3)) });
}

async function listen(smtp: SMTPServer, port: number): Promise<number> {
  const server = smtp.listen(port, HOST);
  await once(server, 'listening');
  // A client that hangs up in the middle of a mail is no reason to end.
  smtp.on('error', () => undefined);
  return (server.address() as AddressInfo).port;
}
