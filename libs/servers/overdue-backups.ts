import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { runInTransaction } from '#libs/database';
import { queueMailToHolder } from '#libs/mail';
import { FindingsService, type NewFinding } from '#libs/placement';

/** For so long beyond the time from one backup to the next it is tried again each hour before anybody is told. */
const PATIENCE_HOURS = 24;

interface Overdue {
  readonly serverId: number;
  readonly serverName: string;
  readonly accountId: number;
  readonly noneSince: Date;
  /** Why the last try came to nothing; null where none was made. */
  readonly reason: string | null;
  /** It may come to an end within the hour. */
  readonly isBeingMade: boolean;
}

/** Servers whose plan has made no backup for too long. Who is suspended, or was until just now, has none made. */
const OVERDUE = `
  SELECT s.id AS "serverId", s.name AS "serverName", s.account_id AS "accountId", p.none_since AS "noneSince",
         (SELECT a.error_message FROM actions a
          WHERE a.server_id = s.id AND a.command = 'create_image' AND a.status = 'error' AND a.finished_at > p.none_since
          ORDER BY a.finished_at DESC LIMIT 1) AS reason,
         EXISTS (SELECT FROM actions a
                 WHERE a.server_id = s.id AND a.command = 'create_image' AND a.status = 'running'
                   AND a.started_at > now() - interval '1 hour') AS "isBeingMade"
  FROM backup_plans p JOIN servers s ON s.id = p.server_id
  WHERE p.none_since < now() - make_interval(days => CASE WHEN p.weekday IS NULL THEN 1 ELSE 7 END, hours => $1)
    AND s.desired <> 'deleted'
    AND NOT EXISTS (SELECT FROM account_suspensions x WHERE x.account_id = s.account_id
                    AND (x.lifted_at IS NULL OR x.lifted_at > now() - make_interval(hours => $1)))
  ORDER BY p.none_since`;

/** Finds servers whose owners rely on backups that are not made. */
@Injectable()
export class OverdueBackups {
  constructor(
    private readonly dataSource: DataSource,
    private readonly findings: FindingsService,
  ) {}

  /** Tells the operator for as long as there is none, and its owner once. */
  async tell(): Promise<void> {
    const overdue = await this.dataSource.query<Overdue[]>(OVERDUE, [PATIENCE_HOURS]);
    for (const one of overdue) if (!one.isBeingMade) await this.tellOf(one);
    await this.findings.resolveOthers(null, ['backup_overdue'], overdue.map(findingOf));
  }

  private async tellOf(overdue: Overdue): Promise<void> {
    const { serverId, serverName, accountId, reason } = overdue;
    const since = overdue.noneSince.toISOString();
    await runInTransaction(this.dataSource, async (manager) => {
      await this.findings.report(findingOf(overdue), manager);
      await queueMailToHolder(manager, {
        cause: `no backup of server ${serverId} since ${since}`,
        accountId,
        template: 'backup-overdue',
        data: { serverId, serverName, noneSince: since.slice(0, 16).replace('T', ' '), reason },
      });
    });
  }
}

function findingOf({ serverId, noneSince, reason }: Overdue): NewFinding {
  const details = { serverId, noneSince, reason };
  return { kind: 'backup_overdue', hostId: null, subject: `server ${serverId}`, details };
}
