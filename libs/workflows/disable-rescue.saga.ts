import { deps, saga } from '#libs/saga';
import { disableRescueRequest, endWaiting } from '#libs/servers';
import { removingEndedRescues } from './rescue-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/**
 * Has a server's next boot be from its own disk again. A rescue system that the server is in runs on until then, for only a
 * boot leaves it.
 */
export const disableRescue = saga(disableRescueRequest, deps<WorkflowDeps>())
  .pointOfNoReturn('nobody wants it any more, or nobody came in time')
  .step('disable', {
    title: 'Choosing its own disk for the next boot',
    transact: async (manager, { params }) => {
      await endWaiting(manager, params.serverId);
      return {};
    },
  })
  .step('remove', removingEndedRescues)
  .build();
