import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CreateServerResponse, orderResponse } from '#libs/contracts';
import { runningPid } from '../../apps/cli/services/daemon.ts';
import {
  ask,
  dataFolder,
  deleteServers,
  findServers,
  finished,
  getServer,
  hosts,
  type Key,
  ledger,
  onServer,
  order,
  passed,
  registerKey,
  root,
  rows,
  send,
  sessionOf,
  withRedis,
} from '../e2e/stack.fixture.ts';
import { openLab } from '../lab/index.ts';

const run = promisify(execFile);
const UP_TIMEOUT_MILLISECONDS = 5 * 60_000;
/** Until the worker looks at the host, and a guest under emulation has booted. */
const POWERED = { timeout: 10 * 60_000, interval: 2000 };

/** Kills one program of the stack, and nothing else, so that it cannot tidy up. */
async function killDaemon(name: 'api' | 'worker'): Promise<void> {
  const pid = await runningPid(dataFolder, name);
  if (pid === undefined) throw new Error(`${name} does not run`);
  process.kill(pid, 'SIGKILL');
  await expect.poll(() => runningPid(dataFolder, name), { timeout: 10_000 }).toBeUndefined();
}

/** What the operator does after a crash: the same command as ever. It must not see that a test runs. */
async function bringBack(): Promise<void> {
  const { NODE_ENV: _, ...environment } = process.env;
  await run(process.execPath, [join(root, 'dist/apps/cli/main.js'), 'up', '--no-order'], {
    cwd: root,
    env: environment,
    timeout: UP_TIMEOUT_MILLISECONDS,
  });
  for (const name of ['api', 'worker']) expect(await runningPid(dataFolder, name)).toBeDefined();
}

const flush = () => withRedis((redis) => redis.flushall());

const LOSSES = ['worker', 'api', 'redis'] as const;

/** Each loss hits a server of its own right after its order, and all of them in the middle of their making. */
describe('servers arrive, once, and paid once', () => {
  const suffix = randomUUID().slice(0, 8);
  const placed = new Map<(typeof LOSSES)[number], CreateServerResponse>();
  const names = { worker: `worker-${suffix}`, api: `api-${suffix}`, redis: `redis-${suffix}` };
  let operator: Record<string, string>;
  let key: Key;

  const wanted = (name: string) => ({ name, server_type: 's1', image: 'debian-12', ssh_keys: [key.id] });

  beforeAll(async () => {
    operator = await sessionOf('OPERATOR');
    key = await registerKey(`chaos-${suffix}`);
  });
  afterAll(async () => {
    await deleteServers(Object.values(names));
    await send('DELETE', `/ssh_keys/${key.id}`);
  });

  async function expectServedOnce({ server: { id, name }, action }: CreateServerResponse): Promise<void> {
    await finished(action.id);
    const [server, ...more] = await findServers(name);
    if (!server) throw new Error(`${name} is not there`);
    expect(more).toEqual([]);
    expect(server).toMatchObject({ id, status: 'running', servery: { ready: true } });
    expect(await onServer(server, { privateKey: key.privateKey }, 'hostname')).toBe(name);
    await expectOneDomain(id);
    await expectPaidOnce(id, Number(server.servery.order_id));
  }

  async function expectOneDomain(serverId: number): Promise<void> {
    const listed = await Promise.all(
      (await hosts(operator)).map(({ uri }) => run('virsh', ['-c', uri, 'list', '--all', '--name'])),
    );
    const domains = listed.flatMap(({ stdout }) => stdout.split('\n'));
    expect(domains.filter((domain) => domain === `servery-${serverId}`)).toHaveLength(1);
  }

  async function expectPaidOnce(serverId: number, orderId: number): Promise<void> {
    const { order: paid } = await ask(orderResponse, 'GET', `/orders/${orderId}`);
    expect(paid).toMatchObject({ status: 'fulfilled', payment: { hold: 'captured' } });
    const mine = (await ledger()).intents.filter((intent) => intent.orderId === String(orderId));
    expect(mine).toMatchObject([
      { status: 'succeeded', heldMinor: 0, capturedMinor: paid.amount_minor, refundedMinor: 0 },
    ]);
    expect(paid.amount_minor).toBeGreaterThan(0);
    const credits = await rows(
      `SELECT amount_minor FROM credit_lots WHERE cause_kind = 'hold_captured' AND cause_id = $1`,
      [mine[0]?.holdId],
    );
    expect(credits).toEqual([{ amount_minor: String(paid.amount_minor) }]);
    const spans = await rows('SELECT component, closed_at FROM usage_spans WHERE server_id = $1 ORDER BY 1', [
      serverId,
    ]);
    expect(spans).toEqual([
      { component: 'compute', closed_at: null },
      { component: 'disk', closed_at: null },
    ]);
  }

  it('each is ordered, and right after that its worker, its API or what Redis knows of it is lost', async () => {
    placed.set('worker', await order(wanted(names.worker)));
    await killDaemon('worker');
    await bringBack();
    const idempotencyKey = randomUUID();
    const ofApi = await order(wanted(names.api), idempotencyKey);
    placed.set('api', ofApi);
    await killDaemon('api');
    await bringBack();
    expect((await order(wanted(names.api), idempotencyKey)).server.id).toBe(ofApi.server.id);
    placed.set('redis', await order(wanted(names.redis)));
    await flush();
  });

  it('the worker is killed, and Redis forgets everything, while their guests boot', async () => {
    for (const { action } of placed.values()) await passed(action.id, 'start-domain');
    await killDaemon('worker');
    await bringBack();
    await flush();
  });

  it.each(LOSSES)('the one whose %s was lost is there', async (lost) => {
    const one = placed.get(lost);
    if (!one) throw new Error(`the one whose ${lost} was lost is not ordered`);
    await expectServedOnce(one);
  });

  it('those whose host loses its power run again when it is back', async () => {
    const ids = [...placed.values()].map(({ server }) => server.id);
    const [first] = await rows<{ host: string; ids: string[] }>(
      `SELECT h.name AS host, array_agg(s.id) AS ids FROM servers s JOIN hosts h ON h.id = s.host_id
       WHERE s.id = ANY($1) GROUP BY h.name LIMIT 1`,
      [ids],
    );
    if (!first) throw new Error('no host has one of them');
    const bootOf = async (id: string) =>
      onServer(
        await getServer(Number(id)),
        { privateKey: key.privateKey },
        'sync; cat /proc/sys/kernel/random/boot_id',
      );
    const before = await Promise.all(first.ids.map(bootOf));
    const lab = await openLab(join(dataFolder, 'lab'));
    await lab.kill(first.host);
    await lab.heal(first.host);
    for (const [index, id] of first.ids.entries()) {
      const again = () => bootOf(id).catch(() => before[index]);
      await expect.poll(again, POWERED).not.toBe(before[index]);
      expect(await getServer(Number(id))).toMatchObject({ status: 'running' });
    }
  });
});
