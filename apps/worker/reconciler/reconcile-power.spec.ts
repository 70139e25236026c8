import { expect, it } from 'vitest';
import { cutPower } from '#libs/hypervisor/simulated';
import { runToEnd } from '#libs/saga/harness';
import { assertSound, finish, lift, order, settle, suspend } from '#libs/workflows/harness';
import {
  HOST,
  openFindings,
  reconciler,
  reconcilesAnewEachTime,
  reload,
  server,
  world,
} from './reconciler.fixture.ts';

reconcilesAnewEachTime();

const stateOf = () => world.fleet.domain(HOST, server.domainUuid)?.state;
const finishAll = async () => {
  for (const { name, id } of await world.store.list({ states: ['running'] })) {
    await runToEnd(world, name, id, []);
  }
};
const lastCommand = async () =>
  (
    await world.dataSource.query<{ command: string }[]>(
      'SELECT command FROM actions WHERE server_id = $1 ORDER BY started_at DESC LIMIT 1',
      [server.id],
    )
  )[0]?.command;

it('a server that went down with its host runs again, which its owner sees', async () => {
  cutPower(world.fleet, HOST);
  await reconciler.run();
  expect(await reload()).toMatchObject({ observed: 'starting', desired: 'running' });
  await reconciler.run();
  await finishAll();
  expect(await reload()).toMatchObject({ observed: 'running', desired: 'running' });
  expect([stateOf(), await lastCommand()]).toEqual(['running', 'start_server']);
  await reconciler.run();
  expect(await world.store.list({ states: ['running'] })).toEqual([]);
  await assertSound(world);
});

it('a server that its guest, or its owner, has switched off stays so when its host goes down', async () => {
  const domain = world.fleet.domain(HOST, server.domainUuid);
  if (domain) world.fleet.putDomain(HOST, { ...domain, state: 'off' });
  await reconciler.run();
  expect(await reload()).toMatchObject({ observed: 'off', desired: 'running' });
  cutPower(world.fleet, HOST);
  await reconciler.run();
  expect([stateOf(), await reload()]).toMatchObject(['off', { observed: 'off' }]);
  await finish(world, await world.commands.powerOn(server.projectId, server.id));
  await finish(world, await world.commands.powerOff(server.projectId, server.id));
  cutPower(world.fleet, HOST);
  await reconciler.run();
  expect([stateOf(), await reload()]).toMatchObject(['off', { observed: 'off', desired: 'off' }]);
});

it('a server whose account was suspended meanwhile stays off', async () => {
  cutPower(world.fleet, HOST);
  await suspend(world, server, 'abuse');
  await reconciler.run();
  expect([stateOf(), await reload()]).toMatchObject(['off', { observed: 'off', desired: 'running' }]);
});

it('a server that ran before its host went down, and was suspended meanwhile, runs again when that is lifted', async () => {
  cutPower(world.fleet, HOST);
  await suspend(world, server, 'billing');
  await settle(world);
  expect([stateOf(), await reload()]).toMatchObject(['off', { observed: 'off' }]);
  await lift(world, server, 'billing');
  await settle(world);
  expect([stateOf(), await reload()]).toMatchObject(['running', { observed: 'running' }]);
  await assertSound(world);
});

it('a server that was off before its host went down stays off when its suspension is lifted', async () => {
  await finish(world, await world.commands.powerOff(server.projectId, server.id));
  cutPower(world.fleet, HOST);
  await suspend(world, server, 'billing');
  await settle(world);
  await lift(world, server, 'billing');
  await settle(world);
  expect([stateOf(), await reload()]).toMatchObject(['off', { observed: 'off' }]);
});

it('a server that went down with its host runs again, though the host refuses to remove what was left there', async () => {
  const { server: other, action } = await order(world);
  await finish(world, action);
  const [left] = world.fleet.domains(HOST).filter(({ uuid }) => uuid === other.domainUuid);
  if (!left) throw new Error('the other server has a domain');
  await finish(world, await world.commands.delete(other.projectId, other.id));
  world.fleet.putDomain(HOST, left);
  cutPower(world.fleet, HOST);
  world.fleet.failNext(HOST, 'undefineDomain', { when: 'before', with: 'host_refused' });
  await reconciler.run();
  await finishAll();
  expect([stateOf(), await reload()]).toMatchObject(['running', { observed: 'running' }]);
  const finding = { kind: 'orphan_domain', subject: left.uuid };
  expect(await openFindings()).toMatchObject([{ ...finding, details: { removed: false } }]);
  await reconciler.run();
  expect(await openFindings()).toMatchObject([{ ...finding, details: { removed: true } }]);
});

it('a server whose host has not all that it needs yet is started when it has', async () => {
  cutPower(world.fleet, HOST);
  world.fleet.failNext(HOST, 'inspectHost', { when: 'before', with: 'host_misconfigured' });
  await reconciler.run();
  expect([stateOf(), await reload()]).toMatchObject(['off', { observed: 'running' }]);
  await reconciler.run();
  await finishAll();
  expect([stateOf(), await reload()]).toMatchObject(['running', { observed: 'running' }]);
});
