import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A start from a backup that is, or was, tried out. */
@Entity('restore_tests')
export class RestoreTest {
  @PrimaryColumn('bigint') id!: number;
  @Column('bigint', { name: 'image_id' }) imageId!: number;
  /** Whose backup it is. */
  @Column('bigint', { name: 'server_id' }) serverId!: number;
  @Column('bigint', { name: 'frozen_disk_id' }) frozenDiskId!: number;
  /** Of the machine that is started for it, and gone afterwards. */
  @Column('uuid', { name: 'domain_uuid' }) domainUuid!: string;
  /** `called_off`: it says nothing about the backup. */
  @Column('text', { default: 'running' }) state!: 'running' | 'passed' | 'failed' | 'called_off';
  @Column('timestamptz', { name: 'started_at', default: () => 'now()' }) startedAt!: Date;
  @Column('timestamptz', { name: 'finished_at', nullable: true }) finishedAt!: Date | null;
}

/** What a test has on its host. */
export function restoreTestName(id: number): string {
  return `servery-restore-${id}`;
}

export function restoreVolumeName(id: number): string {
  return `${restoreTestName(id)}.qcow2`;
}

/** The test that a volume belongs to by its name; undefined where it is none of a test. */
export function restoreTestOfVolume(volumeName: string): number | undefined {
  const [, id] = /^servery-restore-(\d{1,16})\.qcow2$/.exec(volumeName) ?? [];
  return id === undefined ? undefined : Number(id);
}
