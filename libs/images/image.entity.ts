import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Appliance } from './appliance.ts';

/** One build of a golden image. The current build of a name is the one that is not deprecated. */
@Entity('images')
export class Image {
  @PrimaryColumn('bigint') id!: number;
  @Column('text') name!: string;
  @Column('text') type!: 'system' | 'app';
  @Column('text', { name: 'volume_name' }) volumeName!: string;
  @Column('char', { length: 64 }) sha256!: string;
  @Column('bigint', { name: 'file_size_bytes' }) fileSizeBytes!: number;
  @Column('bigint', { name: 'virtual_size_bytes' }) virtualSizeBytes!: number;
  @Column('jsonb') appliance!: Appliance;
  @Column('int', { name: 'package_count' }) packageCount!: number;
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' }) createdAt!: Date;
  @Column('timestamptz', { name: 'deprecated_at', nullable: true }) deprecatedAt!: Date | null;
}
