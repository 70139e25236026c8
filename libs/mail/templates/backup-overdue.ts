import { button, facts, letter, paragraph } from '../letter.ts';
import type { MailContext } from '../template.ts';

interface BackupOverdueData {
  readonly serverId: number;
  readonly serverName: string;
  /** `2027-01-31 02:15`, in UTC. */
  readonly noneSince: string;
  /** A sentence; null where no backup could even be begun. */
  readonly reason: string | null;
}

/** Backups are enabled, and for longer than a day past its time none could be made. */
export function backupOverdue(data: BackupOverdueData, { siteUrl }: MailContext) {
  const { serverId, serverName, noneSince, reason } = data;
  return letter(`No backup of ${serverName} is being made`, [
    paragraph(
      `A backup of ${serverName} is overdue. We try again each hour, and our operators were told. Those that you have are kept.`,
    ),
    facts([
      ['Server', serverName],
      ['No backup since', `${noneSince} (UTC)`],
      ['Why', reason ?? 'It was never in a state that a backup can be made of, as in its rescue system.'],
    ]),
    button('See its backups', `${siteUrl}/servers/${serverId}`),
  ]);
}
