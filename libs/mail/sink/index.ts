export { type MailSink, type SinkOptions, startMailSink } from './mail-sink.ts';
export type { SunkMail } from './mailbox.ts';
