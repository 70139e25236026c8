import { Column, Entity, PrimaryColumn, VirtualColumn } from 'typeorm';

const priceOfType = (column: string) => ({
  type: 'bigint' as const,
  query: (alias: string) =>
    `SELECT price.${column} FROM server_type_prices price WHERE price.id = ${alias}.id`,
});

/** A size that can be ordered. Its prices are those of the price book now, those of a running server. */
@Entity('server_types')
export class ServerType {
  @PrimaryColumn('bigint') id!: number;
  @Column('text') name!: string;
  @Column('text') description!: string;
  @Column('int') vcpus!: number;
  @Column('int', { name: 'memory_mib' }) memoryMib!: number;
  @Column('int', { name: 'disk_gib' }) diskGib!: number;
  /** Millionths of the minor unit. */
  @VirtualColumn(priceOfType('hourly_micro')) priceHourlyMicro!: number;
  /** What a month costs at most, in minor units. */
  @VirtualColumn(priceOfType('monthly_minor')) priceMonthlyMinor!: number;
  @Column('timestamptz', { name: 'deprecated_at', nullable: true }) deprecatedAt!: Date | null;
}
