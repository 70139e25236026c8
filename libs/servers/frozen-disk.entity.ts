import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A disk that nothing writes to any more, in the disk pool of a host and of its peers. Servers' disks, images and other frozen disks stand on it. */
@Entity('frozen_disks')
export class FrozenDisk {
  @PrimaryColumn('bigint') id!: number;
  /** Whose disk it was. */
  @Column('bigint', { name: 'server_id' }) serverId!: number;
  /** That keeps it, and removes it when nobody needs it; null: it is gone, and the host forgotten. */
  @Column('bigint', { name: 'host_id', nullable: true }) hostId!: number | null;
  @Column('text', { name: 'volume_name' }) volumeName!: string;
  /** Null: it stands on a golden image alone. */
  @Column('bigint', { name: 'stands_on', nullable: true }) standsOn!: number | null;
  /** What the disks beneath it end in; null: not noted, and it may be used where it is kept alone. */
  @Column('bigint', { name: 'golden_image_id', nullable: true }) goldenImageId!: number | null;
  /** `as_left`: the server was off. */
  @Column('text') consistency!: 'filesystem' | 'crash' | 'as_left';
  /** What its guest held in memory at that moment; null: none was kept, or it is gone. */
  @Column('text', { name: 'memory_volume_name', nullable: true }) memoryVolumeName!: string | null;
  /** What its server was of then; null: not noted. */
  @Column('bigint', { name: 'image_id', nullable: true }) imageId!: number | null;
  /** The image that it had been upgraded to by then; null: to none. */
  @Column('bigint', { name: 'upgraded_to', nullable: true }) upgradedTo!: number | null;
  /** By which its server was known then; null: not noted. */
  @Column('text', { name: 'host_key', nullable: true }) hostKey!: string | null;
  /** Cron and timers were held in it. */
  @Column('boolean', { name: 'holds_timers', default: false }) holdsTimers!: boolean;
  @Column('timestamptz', { name: 'frozen_at', default: () => 'now()' }) frozenAt!: Date;
  @Column('timestamptz', { name: 'removed_at', nullable: true }) removedAt!: Date | null;
}
