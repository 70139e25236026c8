import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { RecipeSpec } from '#libs/contracts';

/** What a project cooks images of: a name, and one version after another. */
@Entity('recipes')
export class ProjectRecipe {
  @PrimaryColumn('bigint') id!: number;
  @Column('bigint', { name: 'project_id' }) projectId!: number;
  @Column('text') name!: string;
  /** The newest one. */
  @Column('int', { default: 1 }) version!: number;
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' }) createdAt!: Date;
  /** When its newest version was made. */
  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' }) updatedAt!: Date;
  @Column('timestamptz', { name: 'deleted_at', nullable: true }) deletedAt!: Date | null;
}

/** A recipe as its owner wrote it at one time; it never changes. */
@Entity('recipe_versions')
export class RecipeVersion {
  @PrimaryColumn('bigint', { name: 'recipe_id' }) recipeId!: number;
  @PrimaryColumn('int') version!: number;
  @Column('jsonb') spec!: RecipeSpec;
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' }) createdAt!: Date;
}
