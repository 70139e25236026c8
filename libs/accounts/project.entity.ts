import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What servers, keys and tokens belong to. */
@Entity('projects')
export class Project {
  @PrimaryColumn({ type: 'bigint' })
  id!: number;

  @Column({ type: 'bigint', name: 'account_id' })
  accountId!: number;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
