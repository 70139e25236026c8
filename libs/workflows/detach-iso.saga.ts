import { detachIsoRequest } from '#libs/isos';
import { deps, saga } from '#libs/saga';
import { ejectIso, insertIso, noteIso } from './attach-iso.saga.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** Takes the ISO image from a server's CD drive. */
export const detachIso = saga(detachIsoRequest, deps<WorkflowDeps>())
  .step('eject', {
    title: 'Taking the ISO image out',
    do: async (ctx) => {
      await ejectIso(ctx);
      return {};
    },
    commit: (manager, { params }) => noteIso(manager, params.serverId, null),
    undo: (ctx) => insertIso(ctx, ctx.params.isoId),
    undoTransact: (manager, { params }) => noteIso(manager, params.serverId, params.isoId),
  })
  .build();
