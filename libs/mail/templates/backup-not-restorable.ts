import { button, facts, letter, paragraph } from '../letter.ts';
import type { MailContext } from '../template.ts';

interface BackupNotRestorableData {
  readonly serverId: number;
  readonly serverName: string;
  /** `2027-01-31 02:15`, in UTC. */
  readonly madeAt: string;
  /** A sentence without its full stop. */
  readonly reason: string;
}

/** A backup was tried out, and could not be started from. */
export function backupNotRestorable(data: BackupNotRestorableData, { siteUrl }: MailContext) {
  const { serverId, serverName, madeAt, reason } = data;
  return letter(`A backup of ${serverName} could not be restored`, [
    paragraph(
      'We try out backups now and then: a copy is started where nobody reaches it, looked at, and removed. With this one that failed. Your server itself was not touched.',
    ),
    facts([
      ['Server', serverName],
      ['Backup of', `${madeAt} (UTC)`],
      ['What was found', reason],
    ]),
    paragraph('Do not rely on it: take a snapshot now, and look whether your server does what it should.'),
    button('See its backups', `${siteUrl}/servers/${serverId}`),
  ]);
}
