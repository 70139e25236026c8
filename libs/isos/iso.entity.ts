import { Column, Entity, PrimaryColumn } from 'typeorm';

/** An ISO image that the operator has registered, for everybody. */
@Entity('isos')
export class Iso {
  @PrimaryColumn('bigint') id!: number;
  @Column('text') name!: string;
  @Column('text') description!: string;
  /** In the hosts' image pools. */
  @Column('text', { name: 'volume_name' }) volumeName!: string;
  @Column('char', { length: 64 }) sha256!: string;
  @Column('bigint', { name: 'size_bytes' }) sizeBytes!: number;
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' }) createdAt!: Date;
  @Column('timestamptz', { name: 'deleted_at', nullable: true }) deletedAt!: Date | null;
}
