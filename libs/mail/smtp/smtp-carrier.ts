import { createTransport, type NodemailerError } from 'nodemailer';
import { DeliveryError, isAddress, type MailCarrier, type OutgoingMail } from '#libs/mail';

export interface SmtpSettings {
  /** `smtp://user:password@host:port` (STARTTLS where the server has it) or `smtps://…` (TLS from the start). */
  readonly url: string;
  /** `Name <address>` or an address alone. */
  readonly from: string;
}

const CONNECT_MILLISECONDS = 10_000;
const SILENCE_MILLISECONDS = 20_000;
/** A whole delivery, however slowly the server drips. */
const DELIVERY_MILLISECONDS = 60_000;
const FROM = /^(?:"?(?<name>[^"<>]*?)"?\s*<(?<bracketed>[^<>\s]+)>|(?<plain>[^<>\s]+))$/;

/**
 * Sends by SMTP. The Message-ID is made from the mail's id, recipient and sender go by the envelope, and nothing of
 * a mail is read as a header or as the name of a file.
 */
export function smtpCarrier({ url, from }: SmtpSettings): MailCarrier {
  const sender = parseFrom(from);
  const transport = createTransport({
    url,
    ...(sendsPasswordAbroad(url) && { requireTLS: true }),
    connectionTimeout: CONNECT_MILLISECONDS,
    greetingTimeout: SILENCE_MILLISECONDS,
    socketTimeout: SILENCE_MILLISECONDS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send(mail) {
      if (!isAddress(mail.to)) throw new DeliveryError('not one plain address', { isFinal: true });
      const signal = AbortSignal.timeout(DELIVERY_MILLISECONDS);
      await transport.sendMail({ ...messageOf(mail, sender), signal }).catch(throwDeliveryError);
    },
  };
}

interface Sender {
  readonly name: string;
  readonly address: string;
}

function messageOf({ id, to, subject, text, html }: OutgoingMail, from: Sender) {
  return {
    from,
    to: { name: '', address: to },
    envelope: { from: from.address, to: [to] },
    messageId: `<mail-${id}@${from.address.slice(from.address.lastIndexOf('@') + 1)}>`,
    subject,
    text,
    html,
    // RFC 3834: keeps answers of machines, such as those of people on holiday, from coming back.
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

function parseFrom(from: string): Sender {
  const { name = '', bracketed, plain = '' } = FROM.exec(from)?.groups ?? {};
  return { name, address: bracketed ?? plain };
}

/** Whoever stands in between could else strip STARTTLS from the server's answer and read the password. */
function sendsPasswordAbroad(url: string): boolean {
  const { protocol, username, hostname } = new URL(url);
  return protocol === 'smtp:' && username !== '' && !/^(127(\.\d+){3}|\[::1\]|localhost)$/.test(hostname);
}

/**
 * RFC 3463: the reply says that the address (5.1) or its mailbox (5.2) is bad. Other refusals of a recipient, such as
 * of whom the server does not relay for, are for the operator to mend.
 */
const NO_SUCH_RECIPIENT = /^5\d\d[ -]5\.[12]\.\d/;

function throwDeliveryError(cause: NodemailerError): never {
  const { command, message, response = '' } = cause;
  throw new DeliveryError(message, {
    isFinal: command === 'RCPT TO' && NO_SUCH_RECIPIENT.test(response),
    cause,
  });
}
