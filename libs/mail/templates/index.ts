import type { Template } from '../template.ts';
import { confirmEmail } from './confirm-email.ts';
import { passwordChanged } from './password-changed.ts';
import { resetPassword } from './reset-password.ts';
import { spendingAlert } from './spending-alert.ts';

/** Every mail that Servery writes, by the name under which it is queued. */
export const templates = {
  'confirm-email': confirmEmail,
  'password-changed': passwordChanged,
  'reset-password': resetPassword,
  'spending-alert': spendingAlert,
} as const satisfies Record<string, Template<never>>;

export type MailTemplate = keyof typeof templates;

/** What a template is given. All of it survives a `jsonb` column. */
export type MailData<T extends MailTemplate> = Parameters<(typeof templates)[T]>[0];
