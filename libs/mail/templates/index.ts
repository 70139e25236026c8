import type { Template } from '../template.ts';
import { accountRestored } from './account-restored.ts';
import { accountSuspended } from './account-suspended.ts';
import { backupNotRestorable } from './backup-not-restorable.ts';
import { backupOverdue } from './backup-overdue.ts';
import { confirmEmail } from './confirm-email.ts';
import { hostLost } from './host-lost.ts';
import { passwordChanged } from './password-changed.ts';
import { paymentFailed } from './payment-failed.ts';
import { paymentWarning } from './payment-warning.ts';
import { resetPassword } from './reset-password.ts';
import { serversDeleted } from './servers-deleted.ts';
import { serversToBeDeleted } from './servers-to-be-deleted.ts';
import { spendingAlert } from './spending-alert.ts';
import { upgradeNotApplied } from './upgrade-not-applied.ts';

/** Every mail that Servery writes, by the name under which it is queued. */
export const templates = {
  'account-restored': accountRestored,
  'account-suspended': accountSuspended,
  'backup-not-restorable': backupNotRestorable,
  'backup-overdue': backupOverdue,
  'confirm-email': confirmEmail,
  'host-lost': hostLost,
  'password-changed': passwordChanged,
  'payment-failed': paymentFailed,
  'payment-warning': paymentWarning,
  'reset-password': resetPassword,
  'servers-deleted': serversDeleted,
  'servers-to-be-deleted': serversToBeDeleted,
  'spending-alert': spendingAlert,
  'upgrade-not-applied': upgradeNotApplied,
} as const satisfies Record<string, Template<never>>;

export type MailTemplate = keyof typeof templates;

/** What a template is given. All of it survives a `jsonb` column. */
export type MailData<T extends MailTemplate> = Parameters<(typeof templates)[T]>[0];
