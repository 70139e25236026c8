import { z } from 'zod';
import { sagaRequest } from '#libs/saga';

/** How the workflows of rehearsals are asked for; `libs/workflows` says what they do. */
export const rehearseServerRequest = sagaRequest(
  'rehearse-server',
  z.strictObject({
    rehearsalId: z.number().int(),
    runId: z.number().int(),
    /** The clone's. */
    serverId: z.number().int(),
  }),
);

/** `imageId` is made right before; where the upgrade fails, the server goes back to it, as by a roll back. */
export const applyRehearsalRequest = sagaRequest(
  'apply-rehearsal',
  z.strictObject({
    rehearsalId: z.number().int(),
    runId: z.number().int(),
    serverId: z.number().int(),
    imageId: z.number().int(),
    keptImageId: z.number().int(),
    frozenDiskId: z.number().int(),
    generation: z.number().int(),
    power: z.enum(['running', 'off']),
  }),
);

/** What the saga of a rehearsal is about. */
export function rehearsalSubjectOf(id: number): { readonly type: 'rehearsal'; readonly id: number } {
  return { type: 'rehearsal', id };
}
