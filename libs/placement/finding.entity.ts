import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What the worker found that is not as it should be. */
export type FindingKind =
  | 'orphan_domain'
  | 'foreign_domain'
  | 'orphan_volume'
  | 'volume_misplaced'
  | 'volume_missing'
  | 'orphan_address'
  | 'orphan_reservation'
  | 'domain_missing'
  | 'disk_adopted'
  | 'host_unreachable'
  | 'out_of_capacity'
  | 'image_refused'
  | 'iso_refused'
  | 'stuck_saga'
  | 'backup_not_restorable'
  | 'backup_overdue'
  | 'account_not_invoiced'
  | 'books_differ'
  | 'mail_server_failing'
  | 'mail_not_sent'
  | 'invoice_not_collected'
  | 'payment_disputed'
  | 'refund_unexplained'
  | 'refund_failed'
  | 'payout_failed'
  | 'provider_differs';

@Entity('findings')
export class Finding {
  @PrimaryColumn('bigint') id!: number;
  @Column('text') kind!: FindingKind;
  @Column('bigint', { name: 'host_id', nullable: true }) hostId!: number | null;
  /** The name or UUID of what was found. */
  @Column('text') subject!: string;
  @Column('jsonb', { default: {} }) details!: Record<string, unknown>;
  @Column('timestamptz', { name: 'first_seen_at', default: () => 'now()' }) firstSeenAt!: Date;
  @Column('timestamptz', { name: 'last_seen_at', default: () => 'now()' }) lastSeenAt!: Date;
  @Column('timestamptz', { name: 'resolved_at', nullable: true }) resolvedAt!: Date | null;
}
