import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { OUR_DEVICES } from '../port/devices.ts';
import type { DomainSpec } from '../port/domains.ts';
import type { HostRef } from '../port/hosts.ts';
import { domainXml, isOwnDisk, readDomain } from './domain-xml.ts';
import { IsolationFilter } from './isolation-filter.ts';
import { Virsh } from './virsh.ts';
import { volumeXml } from './volume-xml.ts';

const folder = mkdtempSync(join(tmpdir(), 'servery-xml-'));
afterAll(() => rmSync(folder, { recursive: true }));

const host: HostRef = {
  id: 1,
  name: 'kvm1',
  uri: 'qemu:///system',
  domainType: 'kvm',
  imagePool: 'images',
  diskPool: 'disks & "more" <here>',
  bridge: 'br0',
};
const spec: DomainSpec = {
  uuid: '7a0b4a0e-6f0c-4a3e-9a45-5a5f3a0f0d11',
  name: 'web-1',
  serverId: 9_007_199_254_740_991,
  vcpus: 2,
  memoryMib: 2048,
  diskVolume: 'web-1.qcow2',
  seedVolume: 'web-1-seed.iso',
  mac: '52:54:00:12:34:56',
  ipv4: '10.77.0.50',
  ...OUR_DEVICES,
};

const filters = { open: 'clean-traffic', isolated: 'servery-isolated-here' };

/** libvirt's own schema for what it takes. */
function validate(xml: string, schema: 'domain' | 'storagevol' | 'nwfilter'): void {
  const path = join(folder, `${schema}.xml`);
  writeFileSync(path, xml);
  execFileSync('virt-xml-validate', [path, schema], { stdio: 'pipe' });
}

describe('a domain', () => {
  it.each(['kvm', 'qemu'] as const)(
    'satisfies the schema of libvirt, with and without a seed (%s)',
    (domainType) => {
      validate(domainXml({ ...host, domainType }, spec, 'here', filters), 'domain');
      const { seedVolume: _seed, ...bare } = spec;
      validate(domainXml({ ...host, domainType }, bare, 'here', filters), 'domain');
      const volumes = [{ volumeName: 'kept.qcow2', serial: '4711', slot: 15 }];
      validate(domainXml({ ...host, domainType }, { ...spec, volumes }, 'here', filters), 'domain');
      const rescue = { diskVolume: 'rescue.qcow2', seedVolume: 'rescue-seed.img' };
      const media = { ...bare, rescue, iso: 'disc.iso' };
      validate(domainXml({ ...host, domainType }, media, 'here', filters), 'domain');
    },
  );

  it.each(
    (['bios', 'uefi'] as const).flatMap((firmware) =>
      (['virtio', 'sata', 'ide'] as const).map((diskBus) => ({ firmware, diskBus })),
    ),
  )('starts by $firmware from $diskBus, as libvirt takes it', ({ firmware, diskBus }) => {
    const xml = domainXml(host, { ...spec, firmware, diskBus, nicModel: 'e1000e' }, 'here', filters);
    validate(xml, 'domain');
    expect(xml.includes('firmware="efi"')).toBe(firmware === 'uefi');
    expect(xml.match(/bus="(\w+)"/g)).toEqual([`bus="${diskBus}"`, `bus="${diskBus}"`]);
    expect(xml).toContain(diskBus === 'ide' ? '<model type="e1000"/>' : '<model type="e1000e"/>');
    expect(readDomain(xml).disks.map(({ target }) => isOwnDisk(target))).toEqual([true, false]);
  });

  it('tries a rescue system first, then an ISO image, and its own disk last', () => {
    const rescue = { diskVolume: 'rescue.qcow2' };
    const xml = domainXml(host, { ...spec, rescue, iso: 'disc.iso' }, 'here', filters);
    const order = [...xml.matchAll(/target dev="(\w+)"(?:(?!<\/disk>)[\s\S])*?boot order="(\d)"/g)];
    expect(order.map(([, target, place]) => `${place} ${target}`).sort()).toEqual([
      '1 vdc',
      '2 sdz',
      '3 vda',
    ]);
    const { disks } = readDomain(xml);
    expect(disks.filter(({ target }) => isOwnDisk(target)).map(({ volume }) => volume)).toEqual([
      'web-1.qcow2',
    ]);
    expect(disks.filter(({ isCd }) => isCd).map(({ volume }) => volume)).toEqual(['disc.iso']);
  });

  it('reads back as it was written', () => {
    const network = 'isolated';
    expect(readDomain(domainXml(host, { ...spec, network }, 'a "b" <c> & d', filters))).toEqual({
      uuid: spec.uuid,
      name: spec.name,
      hasVolumeController: true,
      owner: { serverId: spec.serverId, installationId: 'a "b" <c> & d' },
      disks: [
        { target: 'vda', isCd: false, volume: 'web-1.qcow2', path: '', layers: [] },
        { target: 'vdb', isCd: false, volume: 'web-1-seed.iso', path: '', layers: [] },
      ],
      cards: [
        {
          mac: spec.mac,
          ipv4: spec.ipv4,
          model: spec.nicModel,
          filter: filters.isolated,
          isPlugged: true,
          network,
        },
      ],
      consoles: ['serial', 'vnc'],
    });
  });

  it('shows a disk that was frozen by its file, and what lies beneath it', () => {
    const golden =
      '<backingStore type="file" index="3"><source file="/images/web"/><backingStore/></backingStore>';
    const frozen = `<backingStore type="volume" index="2"><source pool="disks" volume="web-1.qcow2"/>${golden}</backingStore>`;
    const disk = `<disk><source file="/disks/web-2.qcow2" index="4"/>${frozen}<target dev="vda"/></disk>`;
    expect(readDomain(`<domain><devices>${disk}</devices></domain>`).disks).toEqual([
      { target: 'vda', isCd: false, volume: 'web-2.qcow2', path: '/disks/web-2.qcow2', layers: [2, 3] },
    ]);
  });

  it('shows which of its network cards are unplugged', () => {
    const card = (link: string) =>
      `<interface type="bridge"><mac address="52:54:00:00:00:01"/>${link}</interface>`;
    const cards = [card(''), card('<link state="up"/>'), card('<link state="down"/>')];
    const read = readDomain(`<domain><devices>${cards.join('')}</devices></domain>`).cards;
    expect(read.map(({ network }) => network)).toEqual(['open', 'open', 'closed']);
  });

  it('lets the guest send from its own address alone', () => {
    const xml = domainXml(host, spec, 'here', filters);
    expect(xml).toMatch(/<filterref filter="clean-traffic">\s*<parameter name="IP" value="10.77.0.50"\/>/);
  });

  it.each([
    '<domain><uuid>x</uuid></domain>',
    '<domain><metadata/></domain>',
    '<domain><metadata><servery:server xmlns:servery="urn:other" id="1" installation="here"/></metadata></domain>',
    '<domain><metadata><servery:server xmlns:servery="urn:servery:domain:1" id="x" installation="here"/></metadata></domain>',
    '<domain><metadata><other:server xmlns:other="urn:o" id="1" installation="here"/></metadata></domain>',
  ])('without our mark belongs to nobody: %s', (xml) => {
    expect(readDomain(xml).owner).toBeNull();
  });
});

it('the filter of isolated guests satisfies the schema of libvirt', () => {
  using virsh = new Virsh();
  validate(new IsolationFilter(virsh, 'here', []).xml, 'nwfilter');
  validate(new IsolationFilter(virsh, 'here', ['10.77.0.1', '192.0.2.0/24']).xml, 'nwfilter');
});

describe('a volume', () => {
  it('satisfies the schema of libvirt, with and without a backing image', () => {
    const plan = { name: 'a.qcow2', capacityBytes: 2 ** 40, allocationBytes: 0, format: 'qcow2' } as const;
    validate(volumeXml(plan), 'storagevol');
    validate(volumeXml({ ...plan, backing: { path: '/pool/a & <b>.qcow2', format: 'qcow2' } }), 'storagevol');
  });
});
