export { type SmtpSettings, smtpCarrier } from './smtp-carrier.ts';
