import { Column, CreateDateColumn, PrimaryColumn, UpdateDateColumn } from 'typeorm';

/** Columns that every entity with a public id has. The id is made by `newId()` before the insert. */
export abstract class BaseEntity {
  @PrimaryColumn({ type: 'bigint' })
  id!: number;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at' })
  updatedAt!: Date;
}

/**
 * A whole number beyond 32 bits: an amount, a size, or the public id of another feature's row (features name each
 * other by id, never by an entity relation).
 */
export function BigintColumn(name: string, options: { nullable?: boolean } = {}): PropertyDecorator {
  return Column({ type: 'bigint', name, nullable: options.nullable ?? false });
}
