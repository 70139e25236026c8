import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * `draining` and `maintenance` keep their servers and take no new ones; `unreachable` is set by the reconciler. `lost` is gone
 * for good, with all that was on it: it is no longer asked for anything, until it is removed.
 */
export type HostState = 'active' | 'draining' | 'unreachable' | 'maintenance' | 'lost';

/** A hypervisor host and what of it may be promised. `vcpus` already carries the overcommit. */
@Entity('hosts')
export class Host {
  @PrimaryColumn('bigint') id!: number;
  @Column('text') name!: string;
  @Column('text') uri!: string;
  @Column('uuid', { name: 'host_uuid' }) hostUuid!: string;
  @Column('bigint', { name: 'location_id' }) locationId!: number;
  @Column('text', { name: 'domain_type' }) domainType!: 'kvm' | 'qemu';
  @Column('text', { name: 'domain_type_reason' }) domainTypeReason!: string;
  @Column('text') state!: HostState;
  @Column('text', { name: 'image_pool' }) imagePool!: string;
  @Column('text', { name: 'disk_pool' }) diskPool!: string;
  /** Of the storage behind its disk pool; null: not known. */
  @Column('uuid', { name: 'storage_id', nullable: true }) storageId!: string | null;
  /** On the host; null: not known. */
  @Column('text', { name: 'disk_pool_path', nullable: true }) diskPoolPath!: string | null;
  @Column('text', { name: 'image_pool_path', nullable: true }) imagePoolPath!: string | null;
  /** When that was proven last; null: it is to be proven when the host is looked at next. */
  @Column('timestamptz', { name: 'storage_proven_at', nullable: true }) storageProvenAt!: Date | null;
  @Column('text') bridge!: string;
  @Column('int') vcpus!: number;
  @Column('int', { name: 'memory_mib' }) memoryMib!: number;
  @Column('int', { name: 'disk_gib' }) diskGib!: number;
  @Column('int', { name: 'used_vcpus', default: 0 }) usedVcpus!: number;
  @Column('int', { name: 'used_memory_mib', default: 0 }) usedMemoryMib!: number;
  @Column('int', { name: 'used_disk_gib', default: 0 }) usedDiskGib!: number;
  @Column('timestamptz', { name: 'last_seen_at', nullable: true }) lastSeenAt!: Date | null;
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' }) createdAt!: Date;
}
