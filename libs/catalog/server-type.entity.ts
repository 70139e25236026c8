import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A size that can be ordered. `priceHourlyMicro` is in millionths of the minor unit, the monthly cap in minor units. */
@Entity('server_types')
export class ServerType {
  @PrimaryColumn('bigint') id!: number;
  @Column('text') name!: string;
  @Column('text') description!: string;
  @Column('int') vcpus!: number;
  @Column('int', { name: 'memory_mib' }) memoryMib!: number;
  @Column('int', { name: 'disk_gib' }) diskGib!: number;
  @Column('bigint', { name: 'price_hourly_micro' }) priceHourlyMicro!: number;
  @Column('bigint', { name: 'price_monthly_minor' }) priceMonthlyMinor!: number;
  @Column('timestamptz', { name: 'deprecated_at', nullable: true }) deprecatedAt!: Date | null;
}
