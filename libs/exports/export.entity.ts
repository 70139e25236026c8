import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ExportFormat } from './files/index.ts';

/** `failed` and `expired` have no file. */
export type ExportState = 'creating' | 'available' | 'failed' | 'expired';

/** A disk that its owner takes home: of a server, or of an image, as one file. */
@Entity('exports')
export class Export {
  @PrimaryColumn('bigint') id!: number;
  @Column('bigint', { name: 'account_id' }) accountId!: number;
  @Column('bigint', { name: 'project_id' }) projectId!: number;
  /** What it is of: either a server or an image. */
  @Column('bigint', { name: 'server_id', nullable: true }) serverId!: number | null;
  @Column('bigint', { name: 'image_id', nullable: true }) imageId!: number | null;
  /** What that was called when it was asked for. */
  @Column('text', { name: 'source_name' }) sourceName!: string;
  /** Where the disk is; null where the host is forgotten. */
  @Column('bigint', { name: 'host_id', nullable: true }) hostId!: number | null;
  /** What is read, which may be about to be frozen; null: a golden image. */
  @Column('bigint', { name: 'frozen_disk_id', nullable: true }) frozenDiskId!: number | null;
  /** Since when it has its turn to be copied. */
  @Column('timestamptz', { name: 'begun_at', nullable: true }) begunAt!: Date | null;
  @Column('text') format!: ExportFormat;
  @Column('text', { default: 'creating' }) state!: ExportState;
  @Column('int', { default: 0 }) progress!: number;
  @Column('text', { name: 'file_name', nullable: true }) fileName!: string | null;
  @Column('bigint', { name: 'size_bytes', nullable: true }) sizeBytes!: number | null;
  @Column('char', { length: 64, nullable: true }) sha256!: string | null;
  @Column('text', { name: 'error_code', nullable: true }) errorCode!: string | null;
  @Column('text', { name: 'error_message', nullable: true }) errorMessage!: string | null;
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' }) createdAt!: Date;
  @Column('timestamptz', { name: 'finished_at', nullable: true }) finishedAt!: Date | null;
  @Column('timestamptz', { name: 'expires_at', nullable: true }) expiresAt!: Date | null;
  @Column('timestamptz', { name: 'deleted_at', nullable: true }) deletedAt!: Date | null;
}
