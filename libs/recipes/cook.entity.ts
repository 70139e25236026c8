import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { FieldProblem } from '#libs/kernel';
import type { ImageChanges, ImageParts } from './image-changes.ts';

export type CookState = 'waiting' | 'cooking' | 'available' | 'failed' | 'cancelled';
export type CookStage =
  | 'waiting'
  | 'choose'
  | 'fetch'
  | 'install'
  | 'furnish'
  | 'disk'
  | 'convert'
  | 'publish'
  | 'done';

/** One making of an image of a recipe. */
@Entity('cooks')
export class Cook {
  @PrimaryColumn('bigint') id!: number;
  @Column('bigint', { name: 'account_id' }) accountId!: number;
  @Column('bigint', { name: 'project_id' }) projectId!: number;
  @Column('bigint', { name: 'recipe_id' }) recipeId!: number;
  @Column('text', { name: 'recipe_name' }) recipeName!: string;
  @Column('int') version!: number;
  /** That its image is billed in. */
  @Column('text') currency!: string;
  /** Also where neither recipe nor packages have changed. */
  @Column('boolean', { name: 'is_forced' }) isForced!: boolean;
  /** What the image is called that it makes. */
  @Column('bigint', { name: 'new_image_id' }) newImageId!: number;
  @Column('text', { default: 'waiting' }) state!: CookState;
  @Column('text', { default: 'waiting' }) stage!: CookStage;
  @Column('int', { default: 0 }) percent!: number;
  @Column('text', { default: '' }) message!: string;
  @Column('timestamptz', { name: 'cancel_asked_at', nullable: true }) cancelAskedAt!: Date | null;
  @Column('text', { name: 'error_code', nullable: true }) errorCode!: string | null;
  @Column('text', { name: 'error_message', nullable: true }) errorMessage!: string | null;
  @Column('jsonb', { name: 'error_fields', nullable: true }) errorFields!: FieldProblem[] | null;
  /** Of recipe and packages together: what has the same has the same bytes. */
  @Column('char', { length: 64, nullable: true }) fingerprint!: string | null;
  /** What recipe, components and base put into the image beside packages. */
  @Column('jsonb', { nullable: true }) parts!: ImageParts | null;
  /** The image that the recipe had before; null: it had none. */
  @Column('bigint', { name: 'former_image_id', nullable: true }) formerImageId!: number | null;
  /** What it has made, or the former image where that has the same bytes; null: none, or none yet. */
  @Column('bigint', { name: 'image_id', nullable: true }) imageId!: number | null;
  @Column('boolean', { name: 'is_unchanged', nullable: true }) isUnchanged!: boolean | null;
  /** Against the former image. */
  @Column('jsonb', { nullable: true }) changes!: ImageChanges | null;
  @Column('int', { name: 'kept_bytes', default: 0 }) keptBytes!: number;
  @Column('int', { name: 'cut_bytes', default: 0 }) cutBytes!: number;
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' }) createdAt!: Date;
  @Column('timestamptz', { name: 'started_at', nullable: true }) startedAt!: Date | null;
  /** In all tries, without the time that it waited for other cooks. */
  @Column('float8', { name: 'worked_seconds', default: 0 }) workedSeconds!: number;
  @Column('timestamptz', { name: 'finished_at', nullable: true }) finishedAt!: Date | null;
}
