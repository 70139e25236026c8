import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('ssh_keys')
export class SshKey {
  @PrimaryColumn({ type: 'bigint' })
  id!: number;

  @Column({ type: 'bigint', name: 'project_id' })
  projectId!: number;

  @Column({ type: 'text' })
  name!: string;

  /** MD5 of the key in hexadecimal with colons. */
  @Column({ type: 'text' })
  fingerprint!: string;

  /** Normalized: type, base64 and at most a comment. */
  @Column({ type: 'text', name: 'public_key' })
  publicKey!: string;

  @Column({ type: 'jsonb' })
  labels!: Record<string, string>;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
