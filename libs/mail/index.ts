export { button, facts, letter, paragraph } from './letter.ts';
export * from './mail.errors.ts';
export { type NewMail, queueMail } from './outbox.ts';
export type { MailContent, MailContext, SealedText, Template } from './template.ts';
export { type MailData, type MailTemplate, templates } from './templates/index.ts';
