import { Column, Entity, PrimaryColumn } from 'typeorm';

/** When backups of a server are made, and how many of them stay. */
@Entity('backup_plans')
export class BackupPlan {
  @PrimaryColumn('bigint', { name: 'server_id' }) serverId!: number;
  /** The window is of four hours, in UTC. */
  @Column('smallint', { name: 'window_begins_hour' }) windowBeginsHour!: WindowBegin;
  /** On which the window begins; Sunday is 0. Null: every day. */
  @Column('smallint', { nullable: true }) weekday!: number | null;
  @Column('smallint') keep!: number;
  @Column('timestamptz', { name: 'next_due_at' }) nextDueAt!: Date;
  /** Of when its newest backup is; before the first, when the plan was made or changed. */
  @Column('timestamptz', { name: 'none_since' }) noneSince!: Date;
}

/** Hours of the day, in UTC, at which a window may begin. */
export const WINDOW_BEGINS = [2, 6, 10, 14, 18, 22] as const;
export type WindowBegin = (typeof WINDOW_BEGINS)[number];
