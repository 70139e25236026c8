import { Column, Entity, PrimaryColumn } from 'typeorm';

export type TokenAccess = 'read' | 'read_write';

/** A key of a program to one project. Only the hash of the token is kept. */
@Entity('api_tokens')
export class ApiToken {
  @PrimaryColumn({ type: 'bigint' })
  id!: number;

  @Column({ type: 'bigint', name: 'project_id' })
  projectId!: number;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'bytea', name: 'token_hash', select: false })
  tokenHash!: Buffer;

  @Column({ type: 'text' })
  access!: TokenAccess;

  /** Whether it is shown the account's money, which is wider than its project. */
  @Column({ type: 'boolean', name: 'sees_money' })
  seesMoney!: boolean;

  @Column({ type: 'char', length: 4 })
  last4!: string;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'last_used_at', nullable: true })
  lastUsedAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;
}
