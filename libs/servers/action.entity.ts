import { Column, Entity, PrimaryColumn } from 'typeorm';

export type ActionStatus = 'running' | 'success' | 'error';

/**
 * What a customer watches: a long operation on a server, an image, an export, a rehearsal, a volume or a cook, driven by the saga of
 * the same row.
 */
@Entity('actions')
export class Action {
  @PrimaryColumn('bigint') id!: number;
  @Column('bigint', { name: 'project_id' }) projectId!: number;
  /** Null: it works on no server, and locks none. */
  @Column('bigint', { name: 'server_id', nullable: true }) serverId!: number | null;
  @Column('bigint', { name: 'saga_id', nullable: true }) sagaId!: number | null;
  /** Hetzner's word for it: `create_server`, `start_server`, `stop_server`… */
  @Column('text') command!: string;
  @Column('text', { default: 'running' }) status!: ActionStatus;
  @Column('int', { default: 0 }) progress!: number;
  @Column('text', { name: 'error_code', nullable: true }) errorCode!: string | null;
  @Column('text', { name: 'error_message', nullable: true }) errorMessage!: string | null;
  @Column('bigint', { name: 'image_id', nullable: true }) imageId!: number | null;
  @Column('bigint', { name: 'export_id', nullable: true }) exportId!: number | null;
  @Column('bigint', { name: 'rehearsal_id', nullable: true }) rehearsalId!: number | null;
  @Column('bigint', { name: 'volume_id', nullable: true }) volumeId!: number | null;
  @Column('bigint', { name: 'cook_id', nullable: true }) cookId!: number | null;
  @Column('timestamptz', { name: 'started_at', default: () => 'now()' }) startedAt!: Date;
  @Column('timestamptz', { name: 'finished_at', nullable: true }) finishedAt!: Date | null;
}
