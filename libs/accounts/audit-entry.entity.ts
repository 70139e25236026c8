import { Column, Entity, PrimaryColumn } from 'typeorm';

export type ActorKind = 'session' | 'token' | 'operator' | 'system';

/** Who did what to what. Never changed; the worker deletes it after SERVERY_AUDIT_KEEP_DAYS. */
@Entity('audit_entries')
export class AuditEntry {
  @PrimaryColumn({ type: 'bigint' })
  id!: number;

  @Column({ type: 'bigint', name: 'account_id' })
  accountId!: number;

  @Column({ type: 'text', name: 'actor_kind' })
  actorKind!: ActorKind;

  @Column({ type: 'bigint', name: 'actor_id', nullable: true })
  actorId!: number | null;

  @Column({ type: 'text' })
  action!: string;

  @Column({ type: 'text', name: 'subject_kind' })
  subjectKind!: string;

  @Column({ type: 'bigint', name: 'subject_id' })
  subjectId!: number;

  @Column({ type: 'inet', nullable: true })
  ip!: string | null;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
