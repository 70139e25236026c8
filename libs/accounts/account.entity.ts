import { Column, Entity, PrimaryColumn } from 'typeorm';

export type AccountRole = 'customer' | 'operator';

/** What all servers, and all volumes, of all projects of an account may take together. */
export interface AccountLimits {
  readonly maxServers: number;
  readonly maxVcpus: number;
  readonly maxMemoryMib: number;
  readonly maxVolumeGib: number;
}

/** A customer or an operator. */
@Entity('accounts')
export class Account implements AccountLimits {
  @PrimaryColumn({ type: 'bigint' })
  id!: number;

  @Column({ type: 'text' })
  email!: string;

  @Column({ type: 'text', name: 'password_hash', select: false })
  passwordHash!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  role!: AccountRole;

  @Column({ type: 'integer', name: 'max_servers' })
  maxServers!: number;

  @Column({ type: 'integer', name: 'max_vcpus' })
  maxVcpus!: number;

  @Column({ type: 'integer', name: 'max_memory_mib' })
  maxMemoryMib!: number;

  @Column({ type: 'integer', name: 'max_volume_gib' })
  maxVolumeGib!: number;

  /** Has paid an invoice, so orders need no hold. */
  @Column({ type: 'boolean' })
  trusted!: boolean;

  /** When its owner followed the link that was sent there; null until then. */
  @Column({ type: 'timestamptz', name: 'email_confirmed_at', nullable: true })
  emailConfirmedAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
