import type { EntityManager } from 'typeorm';
import type { OnProgress } from '#libs/hypervisor';
import { Image, ImageContentsService } from '#libs/images';
import { DomainError, type FieldProblem } from '#libs/kernel';
import {
  Cook,
  type CookEnd,
  type CookedDisk,
  type CookWatch,
  composeRecipe,
  fileChanges,
  imageParts,
  loadVersion,
  watchCook,
} from '#libs/recipes';
import { PermanentError, type StepContext, type UndoContext } from '#libs/saga';
import type { WorkflowDeps } from './workflow-deps.ts';

export interface Params {
  readonly cookId: number;
}

export type CookContext = Pick<StepContext<Params, unknown, WorkflowDeps>, 'params' | 'deps'>;
type Step = Pick<
  StepContext<Params, unknown, WorkflowDeps>,
  'params' | 'deps' | 'signal' | 'actionId' | 'log' | 'attempt'
>;

export function loadCook({ params, deps }: CookContext): Promise<Cook> {
  return deps.dataSource.getRepository(Cook).findOneByOrFail({ id: params.cookId });
}

/**
 * Its recipe, put together with the catalog of now.
 * @throws DomainError `recipe_invalid`, `recipe_version_not_found`
 */
export async function composed({ deps }: CookContext, { recipeId, version }: Cook) {
  const { spec } = await loadVersion(deps.dataSource.manager, recipeId, version);
  const { recipe, appliance } = composeRecipe(spec, await deps.recipes.shelf.stock());
  return { recipe, appliance, parts: imageParts(recipe) };
}

/** What a part of a cook is called in its log, and where it begins and ends in the whole, in percent. */
export interface CookSpan {
  readonly from: number;
  readonly to: number;
  readonly title: string;
}

/**
 * Does a part of a cook in view of its owner, who may cancel it, and of the time that it may take.
 * @throws PermanentError `cook_cancelled`, `cook_deadline_exceeded`, `cook_no_room`, `cook_unavailable`; DomainError
 */
export async function watched<T>(
  ctx: Step,
  { from, to, title }: CookSpan,
  work: (watch: CookWatch) => Promise<T>,
): Promise<T> {
  const { dataSource, recipes } = ctx.deps;
  const { cookId } = ctx.params;
  const { cookMinutes } = recipes.settings;
  const of = { dataSource, cookId, actionId: ctx.actionId, signal: ctx.signal, from, to };
  const onWriteFailed = (err: unknown) => ctx.log.warn({ err }, 'what a cook says was not written');
  const stopped = (workedSeconds: number) => whyStopped(ctx, workedSeconds);
  try {
    const result = await watchCook({ ...of, onWriteFailed }, stopped, (watch) => {
      watch.onLine(`--- ${title}${ctx.attempt > 1 ? ', again' : ''}`);
      return work(watch);
    });
    if ('done' in result) return result.done;
    if (result.ended === 'cancelled') throw new PermanentError('cook_cancelled', 'it was cancelled');
    const message = `the cook was ended after ${cookMinutes} minutes of work`;
    throw new PermanentError('cook_deadline_exceeded', message);
  } catch (error) {
    throw await explained(ctx, error);
  }
}

async function whyStopped({ params, deps }: Step, workedSeconds: number): Promise<CookEnd | undefined> {
  const { dataSource, recipes } = deps;
  const [[cook]] = await dataSource.query<[{ isCancelled: boolean; workedSeconds: number }[], number]>(
    `UPDATE cooks SET worked_seconds = worked_seconds + $2 WHERE id = $1
     RETURNING cancel_asked_at IS NOT NULL AS "isCancelled", worked_seconds AS "workedSeconds"`,
    [params.cookId, workedSeconds],
  );
  if (cook?.isCancelled) return 'cancelled';
  return cook && cook.workedSeconds > recipes.settings.cookMinutes * 60 ? 'late' : undefined;
}

/** For the owner: what is wrong with the recipe by its fields, and of what is wrong here no more than that it is. */
async function explained(ctx: Step, error: unknown): Promise<unknown> {
  const { params, deps, log } = ctx;
  if (!(error instanceof DomainError)) return error;
  const fields = error.fields.length > 0 ? error.fields : await unknownPackages(ctx, error);
  if (fields.length > 0) {
    await deps.dataSource.getRepository(Cook).update({ id: params.cookId }, { errorFields: [...fields] });
  }
  if (error.code === 'cook_no_space') {
    log.error({ err: error }, 'there is no room for a cook');
    return new PermanentError('cook_no_room', 'there is no room to cook it at the moment: try again later', {
      cause: error,
    });
  }
  if (OPERATORS.includes(error.code)) {
    log.error({ err: error }, 'this machine cannot cook');
    const message = 'nothing can be cooked here at the moment: its operator has to look';
    return new PermanentError('cook_unavailable', message, { cause: error });
  }
  if (error.code === 'cook_packages_unavailable') {
    log.error({ err: error }, 'packages cannot be had');
    const message = 'Debian’s packages cannot be had at the moment: try again later';
    return new DomainError('unavailable', 'cook_packages_unavailable', message, { cause: error });
  }
  if (error.code !== 'cook_step_failed') return error;
  log.error({ err: error }, 'a cook failed');
  const { lastLines } = error.details;
  const said = Array.isArray(lastLines) ? String(lastLines.findLast((line) => line !== '') ?? '') : '';
  const message = `the build failed${said === '' ? '' : `: ${said.slice(0, 300)}`}`;
  // The same packages and files would fail in the same way.
  return new PermanentError('cook_step_failed', message, { cause: error });
}

/** Those of the recipe's packages that Debian does not have, each by its place. */
async function unknownPackages(ctx: Step, { code, details }: DomainError): Promise<FieldProblem[]> {
  if (code !== 'cook_packages_unknown' || !Array.isArray(details.packages)) return [];
  const unknown: readonly unknown[] = details.packages;
  const { recipeId, version } = await loadCook(ctx);
  const { spec } = await loadVersion(ctx.deps.dataSource.manager, recipeId, version);
  return spec.packages.flatMap((name, index) =>
    unknown.includes(name)
      ? [{ name: `packages.${index}`, messages: [`Debian has no package ${name}`] }]
      : [],
  );
}

/** Refusals of a cook that are about the machine. */
const OPERATORS: readonly string[] = [
  'cook_wall_unavailable',
  'cook_tools_missing',
  'cook_no_package_source',
];

/** Writes how far a part of a cook without lines is. */
export function progressTo(
  { params, deps, actionId, log }: Step,
  { from, to }: Pick<CookSpan, 'from' | 'to'>,
): OnProgress {
  let written = 0;
  return (done, total) => {
    const percent = Math.floor(from + ((to - from) * Math.min(done, total)) / Math.max(1, total));
    if (percent <= written) return;
    written = percent;
    const query = deps.dataSource.query(
      `WITH action AS (UPDATE actions SET progress = greatest(progress, $2) WHERE id = $3 AND status = 'running')
       UPDATE cooks SET stage = 'publish', message = 'bringing it to the hosts', percent = greatest(percent, $2)
       WHERE id = $1 AND finished_at IS NULL`,
      [params.cookId, percent, actionId],
    );
    // What it tells is told again soon; the work goes on.
    query.catch((err: unknown) => log.warn({ err }, 'the progress of a cook was not written'));
  };
}

/** The newest image of a recipe that can be ordered, with what it was cooked of. */
export async function formerImage(
  manager: EntityManager,
  recipeId: number,
): Promise<
  { readonly id: number; readonly sha256: string; readonly fingerprint: string | null } | undefined
> {
  const [former] = await manager.query<{ id: number; sha256: string; fingerprint: string | null }[]>(
    `SELECT i.id, i.sha256, c.fingerprint FROM images i LEFT JOIN cooks c ON c.id = i.cook_id
     WHERE i.recipe_id = $1 AND i.status = 'available' AND i.deleted_at IS NULL
     ORDER BY i.created_at DESC, i.id DESC LIMIT 1`,
    [recipeId],
  );
  return former;
}

/** The row of a cooked image, which nobody can order from yet. */
export async function insertCookedImage(
  manager: EntityManager,
  ctx: Pick<
    StepContext<Params, { choose: { packageCount: number } }, WorkflowDeps>,
    'params' | 'deps' | 'outputs'
  >,
  { sha256, fileSizeBytes, virtualSizeBytes }: Omit<CookedDisk, 'path'>,
): Promise<void> {
  const cook = await manager.getRepository(Cook).findOneByOrFail({ id: ctx.params.cookId });
  const { appliance } = await composed(ctx, cook);
  const { newImageId: id, projectId, recipeId, recipeName, version } = cook;
  await manager.getRepository(Image).insert({
    ...{ id, name: `recipe-${id}`, type: 'snapshot', volumeName: `recipe-${id}.qcow2` },
    ...{ sha256, fileSizeBytes, virtualSizeBytes, appliance },
    packageCount: ctx.outputs.choose.packageCount,
    ...{ projectId, recipeId, recipeVersion: version, cookId: cook.id },
    status: 'creating',
    description: appliance.title,
    labels: { recipe: recipeName, 'recipe-version': String(version) },
  });
}

/** Writes down what is different from the former image; nothing where there is none. */
export async function changesOf(ctx: CookContext, isNew: boolean): Promise<void> {
  const { dataSource } = ctx.deps;
  const cook = await loadCook(ctx);
  if (cook.formerImageId === null) return;
  const images = dataSource.getRepository(Image);
  const former = await images.findOneByOrFail({ id: cook.formerImageId });
  const none = { packages: [], files: { added: [], removed: [], changed: [] } };
  const changes = isNew
    ? await between(ctx, former, await images.findOneByOrFail({ id: cook.newImageId }), cook)
    : none;
  await dataSource.getRepository(Cook).update({ id: cook.id }, { changes });
}

async function between({ deps: { dataSource } }: CookContext, former: Image, made: Image, cook: Cook) {
  const packages = await new ImageContentsService(dataSource).changes(former, made);
  const before = await dataSource.getRepository(Cook).findOneBy({ id: former.cookId ?? 0 });
  return { packages, files: fileChanges(before?.parts?.files ?? {}, cook.parts?.files ?? {}) };
}

/** The last of the undoing: the cook says why there is no image. */
export async function concludeUndone(
  manager: EntityManager,
  { params, reason }: UndoContext<Params, unknown, WorkflowDeps, unknown>,
): Promise<void> {
  await manager.query(
    `UPDATE cooks SET state = CASE WHEN cancel_asked_at IS NULL THEN 'failed' ELSE 'cancelled' END,
       error_code = CASE WHEN cancel_asked_at IS NULL THEN $2 END,
       error_message = CASE WHEN cancel_asked_at IS NULL THEN $3 END,
       error_fields = CASE WHEN cancel_asked_at IS NULL THEN error_fields END,
       message = '', finished_at = now()
     WHERE id = $1 AND finished_at IS NULL`,
    [params.cookId, reason.code, reason.message],
  );
}
