import { liftSuspension, type SuspensionReason, suspendAccount } from '#libs/accounts';
import { newId } from '#libs/kernel';
import type { SagaQueue } from '#libs/queue';
import { Action, type Server, ServerSuspensions } from '#libs/servers';
import { VolumeSuspensions } from '#libs/volumes';
import type { ServerWorld } from './server-world.ts';
import { finish } from './standing-server.ts';

/** The harness sweeps by itself, so nobody has to be woken. */
const silentQueue = { poke: async () => {} } as unknown as SagaQueue;

export function suspensionsOf({ dataSource, store }: ServerWorld): ServerSuspensions {
  return new ServerSuspensions(dataSource, store, silentQueue);
}

export function volumeSuspensionsOf({ dataSource, store }: ServerWorld): VolumeSuspensions {
  return new VolumeSuspensions(dataSource, store, silentQueue);
}

export async function suspend(world: ServerWorld, { accountId }: Server, reason: SuspensionReason) {
  await suspendAccount(world.dataSource.manager, { accountId, reason, at: new Date() });
}

export async function lift(world: ServerWorld, { accountId }: Server, reason: SuspensionReason) {
  await liftSuspension(world.dataSource.manager, { accountId, reason, at: new Date() });
}

/** The account has not paid for so long that its servers are deleted softly. */
export async function fallInArrears(world: ServerWorld, { accountId }: Server): Promise<void> {
  await world.dataSource.query(
    `INSERT INTO arrears (id, account_id, since, is_hard, step) VALUES ($1, $2, now(), true, 'soft_deletion')`,
    [newId(), accountId],
  );
}

export async function leaveArrears(world: ServerWorld, { accountId }: Server): Promise<void> {
  await world.dataSource.query(
    'UPDATE arrears SET closed_at = since WHERE account_id = $1 AND closed_at IS NULL',
    [accountId],
  );
}

/** Asks for what the suspensions want of the world's servers. @returns the first action under way; undefined: all are there */
export async function asked(world: ServerWorld): Promise<Action | undefined> {
  await suspensionsOf(world).align();
  const [first] = await world.dataSource
    .getRepository(Action)
    .find({ where: { status: 'running' }, order: { startedAt: 'ASC' }, take: 1 });
  return first;
}

/** Lets every server, a clone's original too, come to where the suspensions want it. */
export async function settle(world: ServerWorld): Promise<void> {
  for (let action = await asked(world); action; action = await asked(world)) {
    await finish(world, action);
  }
}
