export { DeliveryError, type MailCarrier, noCarrier, type OutgoingMail } from './carrier.ts';
export { type LostMail, mailsGivenUp } from './due-mails.ts';
export { button, facts, letter, paragraph } from './letter.ts';
export * from './mail.errors.ts';
export { MailSender, type SendingReport } from './mail-sender.ts';
export { isAddress, type NewMail, queueMail } from './outbox.ts';
export { openText, type SealedText, sealText } from './sealed-text.ts';
export type { MailContent, MailContext, Template } from './template.ts';
export { type MailData, type MailTemplate, templates } from './templates/index.ts';
