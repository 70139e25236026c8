import type { EntityManager } from 'typeorm';
import { Image, type Verification } from '#libs/images';
import type { StepContext } from '#libs/saga';
import { type PasswordDelivery, type ServerAccess, seedVolumeName } from '#libs/servers';
import { publishAccess } from './access.ts';
import { forgetBootSecrets, settleApplicationSecrets, settlePassword } from './first-boot.ts';
import { followImage } from './open-billing.ts';
import type { PowerState } from './power-state.ts';
import { loadPlaced, type PlacedServer } from './server-context.ts';
import { defineAs } from './switch-disk.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** As of an order: `credentialKindOf`. */
const CREDENTIAL_KIND = `CASE WHEN cardinality(servers.ssh_public_keys) > 0 THEN 'ssh_key'
  WHEN i.verification = 'identity' THEN 'password' ELSE 'image' END`;

/** A server gets the disk of `generation`, which is `imageId`'s; `power` is what it did before. */
export interface Rebuilding {
  readonly serverId: number;
  readonly imageId: number;
  readonly generation: number;
  readonly power: PowerState;
  readonly delivery?: PasswordDelivery | undefined;
}

type Context = Pick<StepContext<Rebuilding, unknown, WorkflowDeps>, 'params' | 'deps'>;

/** The server as it will be: of the next generation, on the new image. */
export async function nextOf({ params, deps }: Context): Promise<PlacedServer> {
  const { manager } = deps.dataSource;
  const placed = await loadPlaced(manager, params.serverId);
  const image = await manager.getRepository(Image).findOneByOrFail({ id: params.imageId });
  const { devices } = image;
  const server = { ...placed.server, imageId: image.id, generation: params.generation, devices };
  return { ...placed, image, server };
}

/** What it had before, whose disk waits until the new one is known to work: nothing else changes disks meanwhile. */
export function formerOf({ serverId: id, generation }: Rebuilding): { id: number; generation: number } {
  return { id, generation: generation - 1 };
}

/** Its machine starts from the new disk, and reads the seed of its first boot. */
export async function switchToNext(ctx: Context): Promise<void> {
  const next = await nextOf(ctx);
  await defineAs(ctx.deps, next, { seedVolume: seedVolumeName(next.server) });
}

/** Opens the ports of the new image, and closes what the former one had beside them. */
export async function showPorts(ctx: Context): Promise<ServerAccess[]> {
  const { image, address } = await nextOf(ctx);
  return publishAccess(ctx.deps.access, image, address);
}

/** The same for what has to end; where it cannot be done, nothing is shown until the reconciler has done it. */
export function showPortsIfPossible(ctx: Context): Promise<ServerAccess[]> {
  return showPorts(ctx).catch(() => []);
}

/** What was kept for a guest that is not to be is destroyed; the password of the one that stays is kept as it was. */
export async function forgetNext(manager: EntityManager, { params, deps }: Context): Promise<void> {
  const { serverId, delivery } = params;
  await forgetBootSecrets(manager, deps, { id: serverId });
  if (delivery === undefined) await deps.secrets.destroy(manager, serverId, 'root_password');
}

/** Its disk is the new one, and it is known, entered and billed accordingly. `access`: its ports that are open. */
export async function noteRebuilt(
  manager: EntityManager,
  { params, deps }: Context,
  { verifiedBy, access }: { readonly verifiedBy: Verification; readonly access: readonly ServerAccess[] },
): Promise<void> {
  const { serverId, imageId, generation, delivery } = params;
  await settleApplicationSecrets(manager, deps, serverId);
  if (delivery !== undefined) await settlePassword(manager, deps, serverId, delivery);
  await forgetBootSecrets(manager, deps, { id: serverId });
  await manager.query(
    `UPDATE servers SET image_id = $2, upgraded_to = NULL, generation = $3, access = $4,
                        stands_on = i.frozen_disk_id, devices = i.devices, verified_by = $5, holds_timers = false,
                        host_key = CASE WHEN $5 = 'identity' THEN host_key END, credential_kind = ${CREDENTIAL_KIND}
     FROM images i WHERE servers.id = $1 AND i.id = $2`,
    [serverId, imageId, generation, JSON.stringify(access), verifiedBy],
  );
  await followImage(manager, serverId);
}
