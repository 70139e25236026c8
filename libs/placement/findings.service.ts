import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { newId } from '#libs/kernel';
import { firstPage, type ListQuery, type Page, pageOf } from '#libs/listing';
import { Finding, type FindingKind } from './finding.entity.ts';

export interface NewFinding {
  readonly kind: FindingKind;
  readonly hostId: number | null;
  readonly subject: string;
  readonly details?: Record<string, unknown>;
}

/** What the operator should look at. A finding that is seen again keeps its first moment. */
@Injectable()
export class FindingsService {
  constructor(private readonly dataSource: DataSource) {}

  /** Open findings. Filters: kind. Sorts: id, kind, first_seen, last_seen. */
  list(query: ListQuery = firstPage): Promise<Page<Finding>> {
    const builder = this.dataSource
      .getRepository(Finding)
      .createQueryBuilder('finding')
      .where('finding.resolvedAt IS NULL');
    return pageOf(builder, query, {
      id: 'finding.id',
      filters: { kind: 'finding.kind' },
      sorts: {
        id: 'finding.id',
        kind: 'finding.kind',
        first_seen: 'finding.firstSeenAt',
        last_seen: 'finding.lastSeenAt',
      },
    });
  }

  /**
   * True when it is new: the operator has not been told of it yet.
   * @param manager of the transaction that it is part of, if it is
   */
  async report(finding: NewFinding, manager = this.dataSource.manager): Promise<boolean> {
    const id = newId();
    const [row] = await manager.query<{ id: number }[]>(
      `INSERT INTO findings (id, kind, host_id, subject, details) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (kind, coalesce(host_id, 0), subject) WHERE resolved_at IS NULL
       DO UPDATE SET last_seen_at = now(), details = excluded.details
       RETURNING id`,
      [id, finding.kind, finding.hostId, finding.subject, finding.details ?? {}],
    );
    return row?.id === id;
  }

  /** Closes findings of no host in particular whose cause is gone, in the caller's transaction; none is success. */
  async resolve(manager: EntityManager, kind: FindingKind, subjects: readonly string[]): Promise<void> {
    await manager.query(
      `UPDATE findings SET resolved_at = now()
       WHERE resolved_at IS NULL AND host_id IS NULL AND kind = $1 AND subject = ANY($2)`,
      [kind, subjects],
    );
  }

  /** Closes all that is open of a host that nobody looks at any more. */
  async resolveAllOf(hostId: number): Promise<void> {
    await this.dataSource.query(
      'UPDATE findings SET resolved_at = now() WHERE resolved_at IS NULL AND host_id = $1',
      [hostId],
    );
  }

  /** Closes the host's open findings of these kinds that are not among `still`. */
  async resolveOthers(
    hostId: number | null,
    kinds: readonly FindingKind[],
    still: readonly NewFinding[],
  ): Promise<void> {
    await this.dataSource.query(
      `UPDATE findings SET resolved_at = now()
       WHERE resolved_at IS NULL AND host_id IS NOT DISTINCT FROM $1 AND kind = ANY($2)
         AND NOT (kind || ' ' || subject) = ANY($3)`,
      [hostId, kinds, still.map(({ kind, subject }) => `${kind} ${subject}`)],
    );
  }
}
