import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A place with hosts. Its one datacenter on the wire is named `<location>-dc1`. */
@Entity('locations')
export class Location {
  @PrimaryColumn('bigint') id!: number;
  @Column('text') name!: string;
  @Column('text') description!: string;
  @Column('text') city!: string;
  @Column('char', { length: 2 }) country!: string;
  @Column('text', { name: 'network_zone' }) networkZone!: string;
}
