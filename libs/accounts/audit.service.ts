import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { newId } from '#libs/kernel';
import { type ActorKind, AuditEntry } from './audit-entry.entity.ts';

export interface AuditRecord {
  readonly accountId: number;
  readonly actorKind: ActorKind;
  readonly actorId: number | null;
  /** Such as `credentials.reveal`. */
  readonly action: string;
  readonly subjectKind: string;
  readonly subjectId: number;
  readonly ip?: string | null;
}

@Injectable()
export class AuditService {
  constructor(private readonly dataSource: DataSource) {}

  /** Writes in the caller's transaction where one is given. */
  async record(record: AuditRecord, manager: EntityManager = this.dataSource.manager): Promise<void> {
    await manager.insert(AuditEntry, {
      ...record,
      id: newId(),
      ip: record.ip ?? null,
      createdAt: new Date(),
    });
  }

  /** What happened to one subject, the oldest first. */
  listFor(subjectKind: string, subjectId: number): Promise<AuditEntry[]> {
    return this.dataSource
      .getRepository(AuditEntry)
      .find({ where: { subjectKind, subjectId }, order: { createdAt: 'ASC', id: 'ASC' } });
  }
}
