import type { MailContent } from './template.ts';

/** A mail that is ready to go. */
export interface OutgoingMail extends MailContent {
  /** Names the mail wherever it arrives: sent twice, it has the same one. */
  readonly id: number;
  readonly to: string;
}

/** Takes mails to where their recipients read them. */
export interface MailCarrier {
  /** Resolves once somebody else has the mail. @throws DeliveryError */
  send(mail: OutgoingMail): Promise<void>;
}

/** Why a mail was not taken. `isFinal`: the recipient is refused for good, and trying again would annoy. */
export class DeliveryError extends Error {
  readonly isFinal: boolean;

  constructor(message: string, options: { readonly isFinal: boolean; readonly cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DeliveryError';
    this.isFinal = options.isFinal;
  }
}

/** Stands where no mail server is configured: mails wait for one. */
export const noCarrier: MailCarrier = {
  send: () => Promise.reject(new DeliveryError('SMTP_URL is not set', { isFinal: false })),
};
