import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { HealthCheck } from '#libs/images';

/** `passed` and `failed` are of the clone; the others that follow are of the server itself. */
export type RehearsalState = 'rehearsing' | 'passed' | 'failed' | 'applying' | 'applied' | 'rolled_back';

/** A script that is tried on a clone of a server before the server itself. Its script is in the vault. */
@Entity('rehearsals')
export class Rehearsal {
  @PrimaryColumn('bigint') id!: number;
  @Column('bigint', { name: 'account_id' }) accountId!: number;
  @Column('bigint', { name: 'project_id' }) projectId!: number;
  @Column('bigint', { name: 'server_id' }) serverId!: number;
  @Column('text', { default: 'rehearsing' }) state!: RehearsalState;
  /** The image that the script takes the server for, and the one that it makes it like; null: it is of its owner. */
  @Column('bigint', { name: 'upgrade_from', nullable: true }) upgradeFrom!: number | null;
  @Column('bigint', { name: 'upgrade_to', nullable: true }) upgradeTo!: number | null;
  @Column('jsonb', { name: 'health_checks' }) healthChecks!: HealthCheck[];
  @Column('int', { name: 'timeout_seconds' }) timeoutSeconds!: number;
  @Column('int', { name: 'script_bytes' }) scriptBytes!: number;
  /** Null: it is deleted, or its owner's. */
  @Column('bigint', { name: 'clone_server_id', nullable: true }) cloneServerId!: number | null;
  /** For how long after the rehearsal the clone is kept; 0: not at all. */
  @Column('int', { name: 'keep_clone_hours', default: 0 }) keepCloneHours!: number;
  @Column('timestamptz', { name: 'clone_expires_at', nullable: true }) cloneExpiresAt!: Date | null;
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' }) createdAt!: Date;
  @Column('timestamptz', { name: 'finished_at', nullable: true }) finishedAt!: Date | null;
}
