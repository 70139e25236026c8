import { afterAll, beforeAll, expect, it } from 'vitest';
import { anyDefinition, runToEnd, type WorldAddress } from '#libs/saga/harness';
import { Server } from '#libs/servers';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
} from './harness/server-world.ts';
import { standingServer } from './harness/standing-server.ts';
import { workflows } from './index.ts';
import { powerOffServer } from './power-off-server.saga.ts';

let address: WorldAddress;
let world: ServerWorld;

beforeAll(async () => {
  address = await createServerWorld();
  world = await attachToServerWorld(address);
});

afterAll(async () => {
  await world?.close();
  await destroyServerWorld(address);
});

it('asks the host how a failed power action ended while no transaction is open', async () => {
  const server = await standingServer(world, 'running');
  world.fleet.failNext('kvm-1', 'destroyDomain', { when: 'before', with: 'domain_exists_foreign' });
  const { hypervisor } = world.deps;
  const openWhileAsked: number[] = [];
  const watched = new Proxy(hypervisor, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      if (name !== 'domainState') return typeof member === 'function' ? member.bind(target) : member;
      return async (...asked: Parameters<typeof target.domainState>) => {
        const [row] = await world.dataSource.query<[{ count: number }]>(
          `SELECT count(*) AS count FROM pg_stat_activity
           WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
        );
        openWhileAsked.push(row.count);
        return target.domainState(...asked);
      };
    },
  });
  const action = await world.commands.powerOff(server.projectId, server.id);
  const sagas = workflows({ ...world.deps, hypervisor: watched });
  const { name } = anyDefinition(powerOffServer);
  const ended = await runToEnd({ ...world, sagas }, name, Number(action.sagaId), []);
  expect(ended).toMatchObject({ state: 'undone' });
  expect(openWhileAsked).toEqual([0]);
  const after = await world.dataSource.getRepository(Server).findOneByOrFail({ id: server.id });
  expect(after).toMatchObject({ observed: 'running', desired: 'running' });
});
