import { z } from 'zod';
import { id, idParam, meta, pageQuery, several, sortQuery, timestamp } from './common.ts';

/** One step of the workflow behind an action, as it really stands. */
export const actionStep = z
  .object({
    name: z.string(),
    title: z.string(),
    state: z.enum(['pending', 'running', 'done', 'failed', 'undone']),
    started: timestamp.nullable(),
    finished: timestamp.nullable(),
    tries: z.int(),
  })
  .meta({ id: 'ActionStep' });

/** What is being done to a resource; poll it until `status` is no longer `running`. */
export const action = z
  .object({
    id,
    command: z.string(),
    status: z.enum(['running', 'success', 'error']),
    progress: z.int().min(0).max(100),
    started: timestamp,
    finished: timestamp.nullable(),
    resources: z.array(z.object({ id, type: z.string() })),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    servery: z.object({ steps: z.array(actionStep) }).optional(),
  })
  .meta({ id: 'Action' });

export const actionResponse = z.object({ action });
export const actionListResponse = z.object({ actions: z.array(action), meta });

const actionFilters = {
  status: several(z.enum(['running', 'success', 'error'])).optional(),
  sort: sortQuery(['id', 'command', 'status', 'progress', 'started', 'finished']),
  ...pageQuery,
};

export const actionListQuery = z.strictObject({
  id: several(z.string().regex(/^[1-9]\d{0,15}$/, { error: 'must be a positive integer' })).optional(),
  ...actionFilters,
});

export const unknownActionParams = z.object({ id: idParam, action: z.string().max(64) });
export const serverActionParams = z.object({ id: idParam, action_id: idParam });

export type ActionWire = z.output<typeof action>;
export type ActionStepWire = z.output<typeof actionStep>;
