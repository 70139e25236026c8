import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * One time that a server starts from a rescue system. It waits for the server's next boot, runs from then until the boot
 * after that, and has ended.
 */
@Entity('rescues')
export class Rescue {
  @PrimaryColumn('bigint') id!: number;
  @Column('bigint', { name: 'server_id' }) serverId!: number;
  @Column('bigint', { name: 'image_id' }) imageId!: number;
  /** None: its password alone. */
  @Column('text', { name: 'ssh_public_keys', array: true, default: [] }) sshPublicKeys!: string[];
  /** `ssh-ed25519 AAAA…`, its own; null until it is made. */
  @Column('text', { name: 'host_key', nullable: true }) hostKey!: string | null;
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' }) createdAt!: Date;
  /** Since then the server's next boot is from it; null: it is being made. */
  @Column('timestamptz', { name: 'enabled_at', nullable: true }) enabledAt!: Date | null;
  /** When it ends, where the server has not booted from it. */
  @Column('timestamptz', { name: 'expires_at', nullable: true }) expiresAt!: Date | null;
  @Column('timestamptz', { name: 'booted_at', nullable: true }) bootedAt!: Date | null;
  @Column('timestamptz', { name: 'ended_at', nullable: true }) endedAt!: Date | null;
  /** Its disk and seed are gone from the host. */
  @Column('timestamptz', { name: 'removed_at', nullable: true }) removedAt!: Date | null;
}

const VOLUME = /^servery-rescue-(\d{1,16})(?:\.qcow2|-seed\.img)$/;

/** Names of what it has on its host: derived, so that repeating a step finds its own work. */
export function rescueVolumeName({ id }: Pick<Rescue, 'id'>): string {
  return `servery-rescue-${id}.qcow2`;
}

export function rescueSeedName({ id }: Pick<Rescue, 'id'>): string {
  return `servery-rescue-${id}-seed.img`;
}

/** Whose disk or seed a volume is; undefined where it is none. */
export function rescueOfVolume(name: string): number | undefined {
  const [, id] = VOLUME.exec(name) ?? [];
  return id === undefined ? undefined : Number(id);
}
