import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { AttachedVolume, BlockVolumeSpec, FileSystem } from '#libs/hypervisor';

/** File systems that a volume can be made with. */
export type VolumeFormat = FileSystem;

/** A disk that its owner keeps apart from servers, and gives to one at a time. */
@Entity('volumes')
export class Volume {
  @PrimaryColumn('bigint') id!: number;
  @Column('bigint', { name: 'account_id' }) accountId!: number;
  @Column('bigint', { name: 'project_id' }) projectId!: number;
  @Column('bigint', { name: 'location_id' }) locationId!: number;
  @Column('text') name!: string;
  @Column('int', { name: 'size_gib' }) sizeGib!: number;
  /** What it was made with; null: it was empty. */
  @Column('text', { nullable: true }) format!: VolumeFormat | null;
  /** That its usage is billed in. */
  @Column('char', { length: 3 }) currency!: string;
  /** Where it has its room; null where the host is forgotten. */
  @Column('bigint', { name: 'host_id', nullable: true }) hostId!: number | null;
  /** The saga that brought it to its host, whose copy it is now; null: it is where it was made. */
  @Column('bigint', { name: 'copy_id', nullable: true }) copyId!: number | null;
  /** A server had it: until then it may be made anew on another host. */
  @Column('boolean', { name: 'has_data', default: false }) hasData!: boolean;
  /** The server that has it; null: none. */
  @Column('bigint', { name: 'server_id', nullable: true }) serverId!: number | null;
  /** Its place on the controller of that server. */
  @Column('int', { nullable: true }) slot!: number | null;
  @Column('text', { default: 'creating' }) status!: 'creating' | 'available';
  @Column('jsonb', { default: {} }) labels!: Record<string, string>;
  @Column('boolean', { name: 'is_delete_protected', default: false }) isDeleteProtected!: boolean;
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' }) createdAt!: Date;
  /** Hidden and not billed, for its account does not pay. */
  @Column('timestamptz', { name: 'retired_at', nullable: true }) retiredAt!: Date | null;
  @Column('timestamptz', { name: 'deleted_at', nullable: true }) deletedAt!: Date | null;
}

const FILE = /^servery-volume-(\d{1,16})(?:-(\d{1,16}))?\.qcow2$/;

/** Of which volume a file is, and which of its copies. */
export type VolumeFile = Pick<Volume, 'id' | 'copyId'>;

/**
 * What it is called in its pool: derived, so that repeating a step finds its own work. No two copies have one name, so
 * whoever removes one, late or on storage that hosts share, never meets another.
 */
export function volumeFileName({ id, copyId }: VolumeFile): string {
  return copyId === null ? `servery-volume-${id}.qcow2` : `servery-volume-${id}-${copyId}.qcow2`;
}

/** Whose volume a file is; undefined where it is none. */
export function volumeOfFile(name: string): VolumeFile | undefined {
  const [, id, copyId] = FILE.exec(name) ?? [];
  return id === undefined
    ? undefined
    : { id: Number(id), copyId: copyId === undefined ? null : Number(copyId) };
}

/** Where Linux shows it, as Hetzner's clients expect it. */
export function linuxDevice({ id }: Pick<Volume, 'id'>): string {
  return `/dev/disk/by-id/scsi-0HC_Volume_${id}`;
}

/** Where it is mounted, when that is asked for, as at Hetzner. */
export function mountPoint({ id }: Pick<Volume, 'id'>): string {
  return `/mnt/HC_Volume_${id}`;
}

export function blockVolumeSpec(volume: VolumeFile & Pick<Volume, 'sizeGib' | 'format'>): BlockVolumeSpec {
  const { sizeGib, format } = volume;
  return { volumeName: volumeFileName(volume), sizeGib, ...(format && { format }) };
}

/** The volume in a slot of a server's machine. */
export function attachedVolume(volume: VolumeFile, slot: number): AttachedVolume {
  return { volumeName: volumeFileName(volume), serial: String(volume.id), slot };
}
