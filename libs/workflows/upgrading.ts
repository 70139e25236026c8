import type { EntityManager } from 'typeorm';
import { Image } from '#libs/images';
import { addressOf } from '#libs/networks';
import type { StepContext } from '#libs/saga';
import type { ServerAccess } from '#libs/servers';
import { publishAccess } from './access.ts';
import { followImage } from './open-billing.ts';
import { loadRehearsal, type ScriptRunParams } from './script-run.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

type Context = Pick<StepContext<ScriptRunParams, unknown, WorkflowDeps>, 'params' | 'deps'>;

/** The image that a server is like from now on, and its ports as they are shown. */
export interface Become {
  readonly imageId: number;
  readonly access: readonly ServerAccess[];
}

/** Where a script was an upgrade, the ports of the newer image are opened; null where it was none. */
export async function openUpgraded(ctx: Context): Promise<Become | null> {
  const images = await imagesOf(ctx);
  return images && showPorts(ctx, images.to);
}

/** Opens the ports of the former image again, also where the newer one's were opened in part. */
export async function openFormer(ctx: Context): Promise<Become | null> {
  const images = await imagesOf(ctx);
  return images && showPorts(ctx, images.from);
}

/** The server is one of this image, and is shown and billed as such. */
export async function noteBecome(
  manager: EntityManager,
  { params: { serverId } }: Context,
  become: Become | null,
): Promise<void> {
  if (!become) return;
  await manager.query('UPDATE servers SET upgraded_to = nullif($2, image_id), access = $3 WHERE id = $1', [
    serverId,
    become.imageId,
    JSON.stringify(become.access),
  ]);
  await followImage(manager, serverId);
}

/** A server that was deleted meanwhile has no ports. */
async function showPorts({ params, deps }: Context, to: Image): Promise<Become> {
  const address = await addressOf(deps.dataSource.manager, params.serverId);
  return { imageId: to.id, access: address ? await publishAccess(deps.access, to, address) : [] };
}

async function imagesOf(ctx: Context): Promise<{ readonly from: Image; readonly to: Image } | null> {
  const { upgradeFrom, upgradeTo } = await loadRehearsal(ctx);
  if (upgradeFrom === null || upgradeTo === null) return null;
  const images = ctx.deps.dataSource.getRepository(Image);
  const [from, to] = await Promise.all([
    images.findOneByOrFail({ id: upgradeFrom }),
    images.findOneByOrFail({ id: upgradeTo }),
  ]);
  return { from, to };
}
