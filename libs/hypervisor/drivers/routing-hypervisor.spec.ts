import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { LOST_URI } from '../port/hosts.ts';
import { SimulatedFleet } from '../simulated/index.ts';
import { createHypervisorDrivers } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'servery-routing-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fleet = new SimulatedFleet(folder);
fleet.addHost('sim1');
const host = fleet.hostRef('sim1', 1);

it("chooses the driver by the host's URI", async () => {
  using drivers = createHypervisorDrivers({ installationId: 'here', simulatedFolder: folder });
  expect(await drivers.hypervisor.inspectHost(host)).toMatchObject({ hostname: 'sim1' });
  const real = { ...host, uri: 'qemu+unix:///system?socket=/nonexistent' };
  await expect(drivers.hypervisor.inspectHost(real)).rejects.toMatchObject({ code: 'host_unreachable' });
});

it.each(['', 'xen:///system', 'simulated:', 'simulated:../x', 'esx://h', 'qemu', ' qemu:///system'])(
  'refuses the URI %j',
  async (uri) => {
    using drivers = createHypervisorDrivers({ installationId: 'here', simulatedFolder: folder });
    const refused = { code: 'uri_unsupported', fields: [{ name: 'uri' }] };
    await expect(drivers.hypervisor.domainState({ ...host, uri }, 'x')).rejects.toMatchObject(refused);
    await expect(drivers.guestReach.tcpOpen({ ...host, uri }, '127.0.0.1', 1)).rejects.toMatchObject(refused);
  },
);

it('knows no simulated hosts where none are wanted', async () => {
  using drivers = createHypervisorDrivers({ installationId: 'here' });
  await expect(drivers.hypervisor.inspectHost(host)).rejects.toMatchObject({ code: 'uri_unsupported' });
});

it('asks nobody about a host that is lost: it has nothing, loses what it should, and can nothing else', async () => {
  using drivers = createHypervisorDrivers({ installationId: 'here', simulatedFolder: folder });
  const { hypervisor, guestReach } = drivers;
  const lost = { ...host, name: 'kvm7', uri: LOST_URI };
  expect(await hypervisor.listDomains(lost)).toEqual([]);
  expect(await hypervisor.domainState(lost, 'x')).toBe('absent');
  await hypervisor.undefineDomain(lost, 'x');
  await hypervisor.deleteVolume(lost, 'x.qcow2', { wipe: true });
  const copy = { volumeName: 'a', fromVolumeName: 'a' };
  for (const refused of [
    hypervisor.startDomain(lost, 'x'),
    hypervisor.agentPing(lost, 'x'),
    hypervisor.copyVolume(lost, { ...copy, from: host }),
    hypervisor.copyVolume(host, { ...copy, from: lost }),
    guestReach.tcpOpen(lost, '127.0.0.1', 1),
  ]) {
    await expect(refused).rejects.toMatchObject({ code: 'host_lost', details: { host: 'kvm7' } });
  }
});
