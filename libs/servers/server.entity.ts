import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type Devices, OUR_DEVICES } from '#libs/hypervisor';
import type { Image, Verification } from '#libs/images';

/** What the owner wants. */
export type DesiredState = 'running' | 'off' | 'deleted';

/** How its owner gets in. `image`: as the image lets them in, for it takes neither key nor password from us. */
export type CredentialKind = 'ssh_key' | 'password' | 'image';

/** What was last seen, or what an action is doing to it. */
export type ObservedState =
  | 'initializing'
  | 'starting'
  | 'running'
  | 'stopping'
  | 'off'
  | 'rebuilding'
  | 'deleting'
  | 'unknown';

/**
 * What its owner lets through. `isolated`: it is reached and answers, and opens no connection itself. `closed`: it is
 * unplugged.
 */
export type ServerNetwork = 'open' | 'isolated' | 'closed';

/** Where a service of the server is reached from outside. */
export interface ServerAccess {
  readonly service: string;
  readonly host: string;
  readonly port: number;
  /** What to type: `ssh -p 22001 root@127.0.0.1`, or a URL. */
  readonly command: string;
}

/** A customer's server: intent (`desired`) apart from state (`observed`). */
@Entity('servers')
export class Server {
  @PrimaryColumn('bigint') id!: number;
  @Column('bigint', { name: 'account_id' }) accountId!: number;
  @Column('bigint', { name: 'project_id' }) projectId!: number;
  @Column('text') name!: string;
  @Column('uuid', { name: 'domain_uuid' }) domainUuid!: string;
  @Column('bigint', { name: 'server_type_id' }) serverTypeId!: number;
  /** Of its disk, which may be smaller than its type's. It never shrinks. */
  @Column('int', { name: 'disk_gib' }) diskGib!: number;
  /** What it was made of. */
  @Column('bigint', { name: 'image_id' }) imageId!: number;
  /** The image of the same recipe that it was upgraded to; null: it is as it was made. */
  @Column('bigint', { name: 'upgraded_to', nullable: true }) upgradedTo!: number | null;
  @Column('bigint', { name: 'location_id' }) locationId!: number;
  @Column('bigint', { name: 'host_id', nullable: true }) hostId!: number | null;
  @Column('inet', { nullable: true }) ipv4!: string | null;
  @Column('text') desired!: DesiredState;
  @Column('text') observed!: ObservedState;
  /** Why it is not as desired, for its owner; null when all is well. */
  @Column('text', { nullable: true }) reason!: string | null;
  @Column('jsonb', { default: {} }) labels!: Record<string, string>;
  @Column('text', { name: 'ssh_public_keys', array: true, default: [] }) sshPublicKeys!: string[];
  @Column('text', { name: 'credential_kind' }) credentialKind!: CredentialKind;
  @Column('boolean', { name: 'start_after_create', default: true }) startAfterCreate!: boolean;
  /** `ssh-ed25519 AAAA…`, made by us and verified when the server became ready. */
  @Column('text', { name: 'host_key', nullable: true }) hostKey!: string | null;
  @Column('jsonb', { default: [] }) access!: ServerAccess[];
  /** What it starts on: its image's when its disk was made. */
  @Column('jsonb', { default: OUR_DEVICES }) devices!: Devices;
  /** What was seen of it when it was handed over; null: it was not yet. */
  @Column('text', { name: 'verified_by', nullable: true }) verifiedBy!: Verification | null;
  @Column('int', { default: 1 }) generation!: number;
  /** The frozen disk that its disk stands on; null: a golden image alone. */
  @Column('bigint', { name: 'stands_on', nullable: true }) standsOn!: number | null;
  @Column('text', { default: 'open' }) network!: ServerNetwork;
  /** Cron and timers rest in it until its network is opened. */
  @Column('boolean', { name: 'holds_timers', default: false }) holdsTimers!: boolean;
  /** The server that it is a copy of; null: it is none. */
  @Column('bigint', { name: 'cloned_from', nullable: true }) clonedFrom!: number | null;
  /** `safe`: with an identity of its own. `exact`: with its original's. */
  @Column('text', { name: 'clone_kind', nullable: true }) cloneKind!: 'safe' | 'exact' | null;
  /** The frozen disk that it is a copy of, which may be still to be frozen. */
  @Column('bigint', { name: 'copied_disk_id', nullable: true }) copiedDiskId!: number | null;
  /** Its owner has to take this away before they delete it. */
  @Column('boolean', { name: 'is_delete_protected', default: false }) isDeleteProtected!: boolean;
  /** The same of a new disk in the place of its own: a rebuild, or a roll back. */
  @Column('boolean', { name: 'is_rebuild_protected', default: false }) isRebuildProtected!: boolean;
  /** The ISO image in its CD drive; null: it has none. */
  @Column('bigint', { name: 'iso_id', nullable: true }) isoId!: number | null;
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' }) createdAt!: Date;
  @Column('timestamptz', { name: 'ready_at', nullable: true }) readyAt!: Date | null;
  @Column('timestamptz', { name: 'deleted_at', nullable: true }) deletedAt!: Date | null;
}

/** The image that its system is like, as far as is known. */
export function systemImageId({ imageId, upgradedTo }: Pick<Server, 'imageId' | 'upgradedTo'>): number {
  return upgradedTo ?? imageId;
}

/** No password is promised where the image is not known to take one. */
export function credentialKindOf(
  sshPublicKeys: readonly string[],
  { verification }: Pick<Image, 'verification'>,
): CredentialKind {
  if (sshPublicKeys.length > 0) return 'ssh_key';
  return verification === 'identity' ? 'password' : 'image';
}

/** Names of what a server owns on its host: derived, so that repeating a step finds its own work. */
export function domainName(server: Pick<Server, 'id'>): string {
  return `servery-${server.id}`;
}

export function diskVolumeName(server: Pick<Server, 'id' | 'generation'>): string {
  return `servery-${server.id}-${server.generation}.qcow2`;
}

/** What a guest held in memory when the disk of this generation was frozen under it. */
export function memoryVolumeName(server: Pick<Server, 'id' | 'generation'>): string {
  return `servery-${server.id}-${server.generation}.memory`;
}

export function seedVolumeName(server: Pick<Server, 'id' | 'generation'>): string {
  return `servery-${server.id}-${server.generation}-seed.img`;
}
