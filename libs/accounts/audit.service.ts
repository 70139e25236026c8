import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { newId } from '#libs/kernel';
import { type ActorKind, type AuditDetail, AuditEntry } from './audit-entry.entity.ts';

export interface AuditRecord {
  /** Null for a user of the operator's shell, who has a name instead. */
  readonly accountId: number | null;
  readonly actorKind: ActorKind;
  readonly actorId: number | null;
  readonly actorName?: string | null;
  /** Such as `server.create`. */
  readonly action: string;
  readonly subjectKind: string;
  /** Null for what is known by name: `subjectName`. */
  readonly subjectId: number | null;
  readonly subjectName?: string | null;
  readonly detail?: AuditDetail;
  readonly ip?: string | null;
}

export interface AuditFilter {
  /** Of the account that acted. */
  readonly email?: string;
  readonly subject?: { readonly kind: string; readonly id: number | string };
  readonly limit: number;
}

/** An entry with the e-mail of its account, unless there is none or it is gone. */
export interface AuditLine extends Required<AuditRecord> {
  readonly email: string | null;
  readonly createdAt: Date;
}

@Injectable()
export class AuditService {
  constructor(private readonly dataSource: DataSource) {}

  /** Writes in the caller's transaction where one is given. */
  async record(record: AuditRecord, manager: EntityManager = this.dataSource.manager): Promise<void> {
    await manager.insert(AuditEntry, {
      ...record,
      id: newId(),
      actorName: record.actorName ?? null,
      subjectName: record.subjectName ?? null,
      detail: record.detail ?? {},
      ip: record.ip ?? null,
      createdAt: new Date(),
    });
  }

  /** The newest entries first; without a filter, of everybody. */
  list({ email, subject, limit }: AuditFilter): Promise<AuditLine[]> {
    return this.dataSource.query(
      `SELECT e.account_id AS "accountId", a.email, e.actor_kind AS "actorKind", e.actor_id AS "actorId",
              e.actor_name AS "actorName", e.action,
              e.subject_kind AS "subjectKind", e.subject_id AS "subjectId", e.subject_name AS "subjectName",
              e.detail, host(e.ip) AS ip, e.created_at AS "createdAt"
       FROM audit_entries e LEFT JOIN accounts a ON a.id = e.account_id
       WHERE ($1::text IS NULL OR lower(a.email) = lower($1))
         AND ($2::text IS NULL OR (e.subject_kind = $2 AND (e.subject_id = $3::bigint OR e.subject_name = $4)))
       ORDER BY e.created_at DESC, e.id DESC LIMIT $5`,
      [
        email ?? null,
        subject?.kind ?? null,
        typeof subject?.id === 'number' ? subject.id : null,
        typeof subject?.id === 'string' ? subject.id : null,
        limit,
      ],
    );
  }
}
