import type { EntityManager } from 'typeorm';
import { deps, type StepContext, saga } from '#libs/saga';
import { noteBooted, Rescue, rescueSeedName, rescueVolumeName, switchSystemRequest } from '#libs/servers';
import { bootsNow, secondsSinceBoot } from './boot-clock.ts';
import { look, observe, placedServer, writeSeen } from './power-state.ts';
import { removingEndedRescues, rescueAnswers } from './rescue-context.ts';
import { defineAs } from './switch-disk.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** A guest that has not gone down by then does not listen to its power button; a reset does not ask it. */
const SHUTDOWN_DEADLINE_SECONDS = 180;
/** A rescue system that has not answered by then may still come: its owner is not kept waiting for it. */
const ANSWER_SECONDS = 300;
const ANSWER_DEADLINE_SECONDS = 3600;

interface Params {
  readonly serverId: number;
  readonly from: number | null;
  readonly into: number | null;
  readonly by: 'power_on' | 'reboot' | 'reset';
}

type Context = Pick<StepContext<Params, unknown, WorkflowDeps>, 'params' | 'deps'>;

/**
 * Boots a server into a rescue system that waits for it, or back into its own. What a machine starts from is settled when it
 * is started, so a reboot and a reset are a stop and a start here.
 */
export const switchSystem = saga(switchSystemRequest, deps<WorkflowDeps>())
  .step('stop', {
    title: 'Stopping it',
    do: async (ctx) => {
      const { server, host } = await placedServer(ctx);
      const { hypervisor } = ctx.deps;
      if (ctx.params.by === 'reboot') await hypervisor.shutdownDomain(host, server.domainUuid);
      if (ctx.params.by === 'reset') await hypervisor.destroyDomain(host, server.domainUuid);
      return {};
    },
    undo: async (ctx) => {
      const { server, host } = await placedServer(ctx);
      if (ctx.params.by !== 'power_on') await ctx.deps.hypervisor.startDomain(host, server.domainUuid);
      return look(ctx);
    },
    undoTransact: (manager, ctx, seen) => writeSeen(manager, ctx, seen),
  })
  .wait('down', {
    title: 'Waiting until it is down',
    deadlineSeconds: SHUTDOWN_DEADLINE_SECONDS,
    everySeconds: 1,
    check: async (ctx) => ((await look(ctx)) === 'off' ? {} : undefined),
    noUndo: 'only looks',
  })
  .step('define-domain', {
    title: 'Choosing what it starts from',
    do: async (ctx) => {
      await startFrom(ctx, ctx.params.into, { withSeed: true });
      return {};
    },
    undo: (ctx) => startFrom(ctx, ctx.params.from),
  })
  .step('start-domain', {
    title: 'Starting it',
    do: async (ctx) => {
      const { server, host } = await placedServer(ctx);
      await ctx.deps.hypervisor.startDomain(host, server.domainUuid);
      return bootsNow();
    },
    commit: async (manager, { params }) => {
      await noteBooted(manager, params.serverId, params.into);
      await observe(manager, params.serverId, 'running');
    },
    undo: async (ctx) => {
      const { server, host } = await placedServer(ctx);
      await ctx.deps.hypervisor.destroyDomain(host, server.domainUuid);
    },
    undoTransact: noteStillIn,
  })
  .pointOfNoReturn('it runs from what was asked for')
  .wait('answers', {
    title: 'Waiting until it answers',
    deadlineSeconds: ANSWER_DEADLINE_SECONDS,
    everySeconds: 1,
    check: async (ctx) => {
      const rescue = await rescueOrNull(ctx, ctx.params.into);
      if (!rescue || (await rescueAnswers(ctx.deps, await placedServer(ctx), rescue))) return {};
      return secondsSinceBoot(ctx.outputs['start-domain'].startedAt) > ANSWER_SECONDS ? {} : undefined;
    },
  })
  .step('erase-seed', {
    title: 'Erasing its first-boot seed',
    do: async (ctx) => {
      const { server, host } = await placedServer(ctx);
      const rescue = await rescueOrNull(ctx, ctx.params.into);
      if (rescue) await ctx.deps.hypervisor.detachSeed(host, server.domainUuid, rescueSeedName(rescue));
      return {};
    },
  })
  .step('remove-former', removingEndedRescues)
  .build();

/** Its machine starts from a rescue system, or from its own disk where that is null. */
async function startFrom(ctx: Context, rescueId: number | null, { withSeed = false } = {}): Promise<void> {
  const rescue = await rescueOrNull(ctx, rescueId);
  const seeded = rescue && withSeed && { rescue: withItsSeed(rescue) };
  await defineAs(ctx.deps, { ...(await placedServer(ctx)), rescue }, seeded || {});
}

function withItsSeed(rescue: Rescue) {
  return { diskVolume: rescueVolumeName(rescue), seedVolume: rescueSeedName(rescue) };
}

async function rescueOrNull({ deps }: Context, id: number | null): Promise<Rescue | null> {
  return id === null ? null : deps.dataSource.getRepository(Rescue).findOneByOrFail({ id });
}

/** Taken back right after its start: it is in what it was in, and what it was to boot from waits again. */
async function noteStillIn(manager: EntityManager, { params }: { readonly params: Params }): Promise<void> {
  await manager.query('UPDATE rescues SET booted_at = NULL WHERE id = $1', [params.into]);
  await manager.query('UPDATE rescues SET ended_at = NULL WHERE id = $1', [params.from]);
}
