import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A Debian package that a cooked image has. */
@Entity('image_packages')
export class ImagePackage {
  @PrimaryColumn('bigint', { name: 'image_id' }) imageId!: number;
  @PrimaryColumn('text') name!: string;
  @Column('text') version!: string;
  @Column('text') architecture!: string;
  /** The source package that it was built from. */
  @Column('text') source!: string;
  /** Of the .deb. */
  @Column('char', { length: 64 }) sha256!: string;
}
