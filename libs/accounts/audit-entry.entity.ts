import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What was changed, in words by name: `{ from: '0.006', to: '0.007' }`. Never a secret. */
export type AuditDetail = Readonly<Record<string, string | number | boolean | null>>;

export type ActorKind = 'session' | 'token' | 'operator' | 'system' | 'shell';

/** Who did what to what. Never changed; the worker deletes it after SERVERY_AUDIT_KEEP_DAYS. */
@Entity('audit_entries')
export class AuditEntry {
  @PrimaryColumn({ type: 'bigint' })
  id!: number;

  /** Null for a user of the operator's shell. */
  @Column({ type: 'bigint', name: 'account_id', nullable: true })
  accountId!: number | null;

  @Column({ type: 'text', name: 'actor_kind' })
  actorKind!: ActorKind;

  @Column({ type: 'bigint', name: 'actor_id', nullable: true })
  actorId!: number | null;

  /** The system user, for what was done by the `servery` command. */
  @Column({ type: 'text', name: 'actor_name', nullable: true })
  actorName!: string | null;

  @Column({ type: 'text' })
  action!: string;

  @Column({ type: 'text', name: 'subject_kind' })
  subjectKind!: string;

  @Column({ type: 'bigint', name: 'subject_id', nullable: true })
  subjectId!: number | null;

  /** Of what is known by name and not by number, such as a price. */
  @Column({ type: 'text', name: 'subject_name', nullable: true })
  subjectName!: string | null;

  @Column({ type: 'json' })
  detail!: AuditDetail;

  @Column({ type: 'inet', nullable: true })
  ip!: string | null;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
