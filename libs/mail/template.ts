import type { SealedText } from './sealed-text.ts';

/** What a template knows besides its data, at the moment of sending. */
export interface MailContext {
  /** Where customers reach Servery, without a slash at the end. */
  readonly siteUrl: string;
  open(secret: SealedText): string;
}

/** What a mail says. `subject` is one line. */
export interface MailContent {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Turns data into words. Pure. `Data` survives a `jsonb` column as it is: no dates, no classes. */
export type Template<Data> = (data: Data, context: MailContext) => MailContent;
