import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SimulatedFleet, type SimulatedHost, SimulatedHypervisor } from '#libs/hypervisor/simulated';
import { newId, newUuid } from '#libs/kernel';
import { type Host, HostsService, placementEntities } from '#libs/placement';
import { testDatabase } from '../../test/support/test-database.ts';
import { addHost, findStorage } from './index.ts';

const database = testDatabase({ entities: placementEntities });
const folder = mkdtempSync(join(tmpdir(), 'servery-storage-'));
const HERE = newId();

let fleet: SimulatedFleet;
let hypervisor: SimulatedHypervisor;
let hosts: HostsService;

beforeEach(async () => {
  fleet = new SimulatedFleet(mkdtempSync(join(folder, 'fleet-')));
  hypervisor = new SimulatedHypervisor(fleet, 'here');
  hosts = new HostsService(database.dataSource);
  await database.dataSource.query('DELETE FROM hosts');
  await database.dataSource.query(
    `INSERT INTO locations VALUES ($1, 'here', 'here', 'here', 'DE', 'eu-central') ON CONFLICT DO NOTHING`,
    [HERE],
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

async function add(name: string, options: Partial<SimulatedHost> = {}): Promise<Host> {
  fleet.addHost(name, options);
  return addHost(database.dataSource, hypervisor, { ...fleet.hostRef(name, 0), locationId: HERE });
}

/** One round of the reconciler, as far as storage goes. */
async function lookAtAll(): Promise<void> {
  for (const host of await hosts.all()) {
    if (!fleet.host(host.name).unreachable) await findStorage(database.dataSource, hypervisor, host);
  }
}

async function peersOf(name: string): Promise<readonly string[]> {
  const { id } = await hosts.getByName(name);
  return (await hosts.peers()).get(id) ?? [];
}

/** As if that had been found out an hour ago. */
async function age({ id }: Host): Promise<void> {
  await database.dataSource.query(
    `UPDATE hosts SET storage_proven_at = storage_proven_at - interval '1 hour' WHERE id = $1`,
    [id],
  );
}

const looks = (name: string) => fleet.marks(name).filter((mark) => mark.startsWith('look-'));

describe('hosts with one disk pool', () => {
  it('know each other once they are added, and a host with a pool of its own knows nobody', async () => {
    await add('one', { diskStorage: 'nas' });
    await add('alone');
    await add('other', { diskStorage: 'nas' });
    expect(await peersOf('one')).toEqual(['other']);
    expect(await peersOf('other')).toEqual(['one']);
    expect(await peersOf('alone')).toEqual([]);
    const before = await hosts.all();
    await lookAtAll();
    expect(await hosts.all()).toEqual(before);
    expect(['one', 'other', 'alone'].flatMap(looks)).toEqual([]);
  });

  it('leave nothing of a look that was cut off, and are known without a mark where a full pool takes none', async () => {
    const one = await add('one', { diskStorage: 'nas' });
    fleet.putMark('one', `look-${one.id}-cut-off`);
    await lookAtAll();
    expect(looks('one')).toEqual([]);
    fleet.addHost('full');
    fleet.failNext('full', 'markStorage', { when: 'before', with: 'pool_full' });
    const full = await add('full');
    expect([full.storageId, full.diskPoolPath]).toEqual([null, '/pools/servery-disks']);
    await lookAtAll();
    expect((await hosts.get(full.id)).storageId).not.toBeNull();
  });

  it('are asked for proof when something has changed, or for an hour nobody has asked, and not at each look', async () => {
    const marked = vi.spyOn(hypervisor, 'markStorage');
    const asked = async () => {
      marked.mockClear();
      await lookAtAll();
      return marked.mock.calls.length;
    };
    const one = await add('one', { diskStorage: 'nas' });
    await add('other', { diskStorage: 'nas' });
    expect(await asked()).toBe(0);
    await age(one);
    expect([await asked(), await asked()]).toEqual([2, 0]);
    await hosts.recordUnreachable(one.id);
    expect([await asked(), await asked()]).toEqual([2, 0]);
    fleet.change('other', { poolRoot: '/srv' });
    expect([await asked(), await asked()]).toEqual([2, 0]);
    fleet.putMark('one', `storage-2-${newUuid()}`);
    expect(await asked()).toBeGreaterThan(0);
    expect(await asked()).toBe(0);
  });

  it('are looked at in all else though their pool refuses a mark', async () => {
    fleet.addHost('odd');
    fleet.failNext('odd', 'markStorage', { when: 'before', with: 'host_refused' });
    expect((await add('odd')).storageId).toBeNull();
    const odd = await hosts.getByName('odd');
    fleet.putMark('odd', `look-${odd.id}-cut-off`);
    fleet.failNext('odd', 'unmarkStorage', { when: 'before', with: 'host_refused' });
    await lookAtAll();
    expect((await hosts.get(odd.id)).storageId).not.toBeNull();
  });

  it('share nothing where their pools lie at other paths, for disks name by path what they stand on', async () => {
    await add('one', { diskStorage: 'nas' });
    await add('other', { diskStorage: 'nas', poolRoot: '/srv' });
    expect(await peersOf('one')).toEqual([]);
    fleet.change('other', { poolRoot: '/pools' });
    await lookAtAll();
    expect(await peersOf('one')).toEqual(['other']);
  });

  it('agree on one storage where both marked it at the same time', async () => {
    const [one] = [await add('one', { diskStorage: 'nas' }), await add('other')];
    fleet.change('other', { diskStorage: 'nas' });
    await hypervisor.markStorage(fleet.hostRef('other', 0), 'storage-1-00000000-0000-4000-8000-000000000000');
    await hypervisor.markStorage(fleet.hostRef('other', 0), 'storage-1-ffffffff-ffff-4fff-bfff-ffffffffffff');
    await lookAtAll();
    await lookAtAll();
    expect(await peersOf(one.name)).toEqual(['other']);
    expect((await hosts.get(one.id)).storageId).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff');
  });
});

describe('a pool that was copied with its mark', () => {
  const copyMarks = () => {
    for (const mark of fleet.marks('one')) fleet.putMark('copy', mark);
  };

  it('is told apart, and shared by those that show the copy', async () => {
    await add('one', { diskStorage: 'nas' });
    fleet.addHost('copy', { diskStorage: 'copied' });
    copyMarks();
    await add('copy', { diskStorage: 'copied' });
    expect(await peersOf('copy')).toEqual([]);
    await add('other', { diskStorage: 'nas' });
    await add('second', { diskStorage: 'copied' });
    await lookAtAll();
    expect(await peersOf('one')).toEqual(['other']);
    expect(await peersOf('copy')).toEqual(['second']);
  });

  it.each([
    ['it has been away', async ({ id }: Host) => hosts.recordUnreachable(id)],
    ['its proof is an hour old', age],
  ])('is shared no more once a host shows it in place of the original, and %s', async (_when, then) => {
    await add('one', { diskStorage: 'nas' });
    const copy = await add('copy', { diskStorage: 'nas' });
    expect(await peersOf('one')).toEqual(['copy']);
    fleet.change('copy', { diskStorage: 'copied' });
    copyMarks();
    await then(copy);
    await lookAtAll();
    expect(await peersOf('one')).toEqual([]);
  });

  it('is believed by nobody while the original is away, and what was proven before still is', async () => {
    await add('one', { diskStorage: 'nas' });
    await add('other', { diskStorage: 'nas' });
    fleet.change('one', { unreachable: true });
    fleet.change('other', { unreachable: true });
    fleet.addHost('copy', { diskStorage: 'copied' });
    copyMarks();
    const copy = await add('copy', { diskStorage: 'copied' });
    expect(copy.storageId).toBeNull();
    fleet.change('other', { unreachable: false });
    await age(await hosts.getByName('other'));
    await findStorage(database.dataSource, hypervisor, await hosts.getByName('other'));
    expect(await peersOf('other')).toEqual(['one']);
  });
});
