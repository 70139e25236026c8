import { userInfo } from 'node:os';
import type { DataSource, EntityManager } from 'typeorm';
import { type AuditDetail, type AuditRecord, AuditService } from '#libs/accounts';

/**
 * Writes what a command changed, in its transaction where one is given: `audit('host.add', host.id)`. What has no number
 * goes by its name: `audit('price.change', 'compute/s1', manager, { from: '0.006', to: '0.007' })`.
 */
export type ShellAudit = (
  action: string,
  subject: number | string,
  manager?: EntityManager,
  detail?: AuditDetail,
) => Promise<void>;

/** The audit of one run of the command: who acts is the user of the shell, the subject's kind is the action's. */
export function shellAudit(dataSource: DataSource): ShellAudit {
  const audit = new AuditService(dataSource);
  return (action, subject, manager, detail = {}) => {
    const subjectKind = action.slice(0, action.indexOf('.'));
    const named =
      typeof subject === 'number' ? { subjectId: subject } : { subjectId: null, subjectName: subject };
    const record: AuditRecord = { ...shellActor(), action, subjectKind, ...named, detail };
    return audit.record(record, manager);
  };
}

function shellActor() {
  return { accountId: null, actorKind: 'shell', actorId: null, actorName: userName() } as const;
}

/** Who became root by sudo is named, not root. A user that the machine has no name for goes by its number. */
function userName(): string {
  if (process.env.SUDO_USER) return process.env.SUDO_USER;
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}
