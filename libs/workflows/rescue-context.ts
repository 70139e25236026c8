import type { EntityManager } from 'typeorm';
import { Image } from '#libs/images';
import { PermanentError, type StepContext } from '#libs/saga';
import { cryptHash } from '#libs/secrets';
import {
  noteRescuesRemoved,
  Rescue,
  rescueSeedName,
  rescueVolumeName,
  unremovedRescues,
} from '#libs/servers';
import { placedServer } from './power-state.ts';
import { rescueSeedOf } from './seed-spec.ts';
import { findHost, loadServer, type PlacedServer } from './server-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

const SSH_PORT = 22;

type ServerContext = Pick<StepContext<{ serverId: number }, unknown, WorkflowDeps>, 'params' | 'deps'>;
type RescueContext = Pick<
  StepContext<{ serverId: number; rescueId: number }, unknown, WorkflowDeps>,
  'params' | 'deps'
>;

/** A rescue system, and the image that its disk is of. */
export async function rescueOf({ params, deps }: RescueContext): Promise<{ rescue: Rescue; image: Image }> {
  const { manager } = deps.dataSource;
  const rescue = await manager.getRepository(Rescue).findOneByOrFail({ id: params.rescueId });
  return { rescue, image: await manager.getRepository(Image).findOneByOrFail({ id: rescue.imageId }) };
}

/** @throws PermanentError `host_key_missing` */
export async function writeRescueSeed(ctx: RescueContext): Promise<void> {
  const { secrets, dataSource, hypervisor } = ctx.deps;
  const { serverId } = ctx.params;
  const hostKey = await secrets.read(dataSource.manager, serverId, 'rescue_host_key');
  if (hostKey === undefined) throw new PermanentError('host_key_missing', 'the host key is gone');
  const password = await secrets.read(dataSource.manager, serverId, 'rescue_password');
  const { host, address } = await placedServer(ctx);
  const { rescue } = await rescueOf(ctx);
  const passwordHash = password !== undefined && { passwordHash: await cryptHash(password) };
  await hypervisor.createSeed(host, rescueSeedOf(rescue, address, { hostKey, ...passwordHash }));
}

/** True when it answers with the host key that we made for it; by its agent alone where it is on no network. */
export async function rescueAnswers(
  { reach, hypervisor }: WorkflowDeps,
  { host, server, address }: PlacedServer,
  { hostKey }: Rescue,
): Promise<boolean> {
  if (server.network === 'closed') return hypervisor.agentPing(host, server.domainUuid);
  const key = await reach.readSshHostKey(host, address.ip, SSH_PORT);
  return key !== null && key === hostKey;
}

/** Takes what rescue systems that have ended have left on the host. */
export const removingEndedRescues = {
  title: 'Removing what is not needed any more',
  do: async (ctx: ServerContext) => {
    const all = await unremovedRescues(ctx.deps.dataSource.manager, ctx.params.serverId);
    const ended = all.filter(({ endedAt }) => endedAt !== null);
    await removeRescues(ctx, ended);
    return { removed: ended.map(({ id }) => id) };
  },
  commit: (
    manager: EntityManager,
    _ctx: unknown,
    { removed }: { readonly removed: readonly number[] },
  ): Promise<void> => noteRescuesRemoved(manager, removed),
};

/** Deletes their disks and seeds; nothing where the server has no host any more. */
export async function removeRescues(
  { params, deps }: ServerContext,
  rescues: readonly Rescue[],
): Promise<void> {
  const { manager } = deps.dataSource;
  const { server } = await loadServer(manager, params.serverId);
  const host = await findHost(manager, server);
  if (!host) return;
  for (const rescue of rescues) {
    await deps.hypervisor.deleteVolume(host, rescueSeedName(rescue), { wipe: true });
    await deps.hypervisor.deleteVolume(host, rescueVolumeName(rescue));
  }
}
