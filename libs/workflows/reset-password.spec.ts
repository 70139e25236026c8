import { afterAll, beforeAll, expect, it } from 'vitest';
import { runToEnd, type WorldAddress } from '#libs/saga/harness';
import { digestOf, guestOf } from './harness/guest-secrets.ts';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
  standingServer,
} from './harness/index.ts';

let address: WorldAddress;
let world: ServerWorld;

beforeAll(async () => {
  address = await createServerWorld();
  world = await attachToServerWorld(address);
});

afterAll(async () => {
  await world.close();
  await destroyServerWorld(address);
});

it.each(['before', 'after'] as const)(
  'a password that waits for its owner still does, and opens the server, after a try that failed %s its effect',
  async (when) => {
    const server = await standingServer(world, 'running');
    const { id, projectId } = server;
    await world.deps.secrets.put(world.dataSource.manager, id, 'root_password', 'of the order');
    world.fleet.failNext('kvm-1', 'agentSetPassword', { when, with: 'agent_refused' });
    const { action } = await world.commands.resetPassword(projectId, id, 'reveal');
    const { state } = await runToEnd(world, 'reset-password', Number(action.sagaId), []);
    expect(state).toBe('undone');
    expect(await world.commands.revealPassword(projectId, id)).toBe('of the order');
    expect(guestOf(world, server)?.passwordDigests.root).toBe(digestOf('of the order'));
  },
);
