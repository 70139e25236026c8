import { deps, saga } from '#libs/saga';
import { freezeDiskRequest } from '#libs/servers';
import { freeze, recordFrozen, unfreeze } from './freezing.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** Freezes a server's disk at one moment for those who read it, while the server goes on. */
export const freezeDisk = saga(freezeDiskRequest, deps<WorkflowDeps>())
  .step('freeze-disk', {
    title: 'Freezing its disk',
    do: freeze,
    commit: (manager, ctx, { consistency }) => recordFrozen(manager, ctx, consistency),
    undo: async (ctx) => (ctx.output ? { goesOn: false } : unfreeze(ctx)),
    undoTransact: async (manager, ctx, { goesOn }) => {
      if (goesOn) await recordFrozen(manager, ctx, 'crash');
    },
  })
  .build();
