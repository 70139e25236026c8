import type { EntityManager } from 'typeorm';
import type { CookContext } from './cooking.ts';

/**
 * Undefined as long as enough others are at work, or another one of the project, or it is another one's turn. Turns go round
 * the projects: next is the one whose last turn was longest ago, and in it who asked first. A cook whose saga is stuck waits
 * for the operator, and holds none up.
 */
export async function takeTurn(manager: EntityManager, { params, deps }: CookContext) {
  await manager.query(`SELECT pg_advisory_xact_lock(hashtext('turn of cooks'))`);
  const [, taken] = await manager.query<[unknown[], number]>(
    `WITH live AS (
       SELECT c.id, c.project_id, c.started_at, c.created_at, c.cancel_asked_at
       FROM cooks c JOIN sagas g ON g.subject_type = 'cook' AND g.subject_id = c.id
       WHERE c.finished_at IS NULL AND g.state IN ('running', 'undoing')),
     next AS (
       SELECT id FROM live w WHERE started_at IS NULL AND cancel_asked_at IS NULL
         AND NOT EXISTS (SELECT FROM live o WHERE o.project_id = w.project_id AND o.started_at IS NOT NULL)
       ORDER BY (SELECT max(started_at) FROM cooks WHERE project_id = w.project_id) NULLS FIRST, created_at, id
       LIMIT 1)
     UPDATE cooks SET state = 'cooking', stage = 'choose', started_at = coalesce(started_at, now())
     WHERE id = $1 AND (started_at IS NOT NULL OR id = (SELECT id FROM next)
       AND $2 > (SELECT count(*) FROM live WHERE started_at IS NOT NULL))`,
    [params.cookId, deps.recipes.settings.cooksAtOnce],
  );
  return taken > 0 ? {} : undefined;
}
