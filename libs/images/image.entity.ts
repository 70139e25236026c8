import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type Devices, OUR_DEVICES } from '#libs/hypervisor';
import type { Appliance } from './appliance.ts';
import type { ImportReport } from './import-report.ts';

/** What a test of a backup has found in order: what `health` means is its appliance's own word. */
export type RestoreCheck = 'started' | 'disk_read' | 'agent' | 'file_systems' | 'health';

/**
 * What is looked for before a server is handed over. `identity`: the SSH host key that we made, the guest agent where one
 * is promised, and the appliance's health; `ssh`: that it runs and something answers at the SSH port; `running`: that it
 * runs. More is taken where it shows.
 */
export type Verification = 'identity' | 'ssh' | 'running';

/**
 * One build of a golden image, of the catalog, or what a project has kept of a server. The current build of a name is the
 * one that is not deprecated.
 */
@Entity('images')
export class Image {
  @PrimaryColumn('bigint') id!: number;
  @Column('text') name!: string;
  /** `rescue`: what servers are rescued from, which nobody is shown. */
  @Column('text') type!: 'system' | 'app' | 'snapshot' | 'backup' | 'rescue';
  @Column('text', { name: 'volume_name' }) volumeName!: string;
  /** Of the file that goes to hosts; null where there is none. */
  @Column('char', { length: 64, nullable: true }) sha256!: string | null;
  @Column('bigint', { name: 'file_size_bytes' }) fileSizeBytes!: number;
  @Column('bigint', { name: 'virtual_size_bytes' }) virtualSizeBytes!: number;
  /** Part of the file's size: what was kept of a guest's memory. Null: none. */
  @Column('bigint', { name: 'memory_bytes', nullable: true }) memoryBytes!: number | null;
  @Column('jsonb') appliance!: Appliance;
  @Column('int', { name: 'package_count' }) packageCount!: number;
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' }) createdAt!: Date;
  /** Null: nobody cooked it, or it is not known when. */
  @Column('timestamptz', { name: 'cooked_at', nullable: true }) cookedAt!: Date | null;
  /** When these bytes were last booted and used as their clients would; null: it is not known that they were. */
  @Column('timestamptz', { name: 'verified_at', nullable: true }) verifiedAt!: Date | null;
  @Column('timestamptz', { name: 'deprecated_at', nullable: true }) deprecatedAt!: Date | null;
  /** Null: of the catalog, for everybody. */
  @Column('bigint', { name: 'project_id', nullable: true }) projectId!: number | null;
  /** Null: a golden image in the hosts' image pools. */
  @Column('bigint', { name: 'frozen_disk_id', nullable: true }) frozenDiskId!: number | null;
  /** What it was made of. */
  @Column('bigint', { name: 'server_id', nullable: true }) serverId!: number | null;
  @Column('text', { name: 'server_name', nullable: true }) serverName!: string | null;
  /** The recipe of the project that it was cooked of; null: of none. */
  @Column('bigint', { name: 'recipe_id', nullable: true }) recipeId!: number | null;
  @Column('int', { name: 'recipe_version', nullable: true }) recipeVersion!: number | null;
  @Column('bigint', { name: 'cook_id', nullable: true }) cookId!: number | null;
  /** Null: it was not imported. */
  @Column('jsonb', { name: 'import_report', nullable: true }) importReport!: ImportReport | null;
  /** What servers of it start on. */
  @Column('jsonb', { default: OUR_DEVICES }) devices!: Devices;
  @Column('text', { default: 'identity' }) verification!: Verification;
  @Column('text', { default: 'available' }) status!: 'creating' | 'available' | 'unavailable';
  @Column('text', { nullable: true }) description!: string | null;
  @Column('jsonb', { default: {} }) labels!: Record<string, string>;
  @Column('boolean', { name: 'is_delete_protected', default: false }) isDeleteProtected!: boolean;
  /** Who had it made of a server's disk; null: it was not made of one. `roll_back`: the state that one left behind. */
  @Column('text', { name: 'made_by', nullable: true }) madeBy!: 'owner' | 'plan' | 'roll_back' | null;
  /** Null: no start from it was tried. */
  @Column('timestamptz', { name: 'restore_tested_at', nullable: true }) restoreTestedAt!: Date | null;
  @Column('text', { name: 'restore_checks', array: true, default: [] }) restoreChecks!: RestoreCheck[];
  /** Why it cannot be started from, a sentence without its full stop; null: it can, as far as it was tried. */
  @Column('text', { name: 'restore_failure', nullable: true }) restoreFailure!: string | null;
  /** Null: kept until somebody deletes it. */
  @Column('timestamptz', { name: 'expires_at', nullable: true }) expiresAt!: Date | null;
  @Column('timestamptz', { name: 'deleted_at', nullable: true }) deletedAt!: Date | null;
}
