import { HypervisorError, isHypervisorError } from '../hypervisor.errors.ts';
import type { DomainFacts, DomainSpec, DomainState, NetworkState } from '../port/domains.ts';
import type { HostRef } from '../port/hosts.ts';
import { checkDomainSpec, checkUuid } from '../specs.ts';
import { cardXml, type DomainRecord, domainXml, isOwnDisk, readDomain } from './domain-xml.ts';
import type { IsolationFilter } from './isolation-filter.ts';
import type { Virsh } from './virsh.ts';
import { saysAlreadyRunning, saysNoSuchDisk } from './virsh-errors.ts';

/** libvirt's words for a domain's state (virsh domstate). */
const STATES: Readonly<Record<string, Exclude<DomainState, 'absent'>>> = {
  running: 'running',
  idle: 'running',
  'in shutdown': 'running',
  'shut off': 'off',
  paused: 'paused',
  pmsuspended: 'paused',
  crashed: 'crashed',
};

/**
 * libvirt's words for how a domain came to be off where nobody wanted that (virsh domstate --reason): it was not there when
 * libvirt began, as after a power cut, or was found dead then, or later. A guest that shuts down, and a plug that is pulled,
 * have others.
 */
const CUT_OFF = /^shut off \((unknown|daemon|crashed)\)$/;

const START_TIMEOUT_SECONDS = 60;

/** libvirt's own, against spoofing. */
const OPEN_FILTER = 'clean-traffic';

/** Domains on a host: those with our installation's mark are ours, others are looked at and left alone. */
export class LibvirtDomains {
  private readonly virsh: Virsh;
  private readonly installationId: string;
  private readonly isolation: IsolationFilter;

  constructor(virsh: Virsh, installationId: string, isolation: IsolationFilter) {
    this.virsh = virsh;
    this.installationId = installationId;
    this.isolation = isolation;
  }

  async define(host: HostRef, spec: DomainSpec): Promise<void> {
    checkDomainSpec(spec);
    const existing = await this.own(host, spec.uuid);
    if (existing && existing.owner?.serverId !== spec.serverId) throw foreignDomain(host, spec.uuid);
    await this.needVolumes(
      host,
      [
        ...[spec.diskVolume, spec.seedVolume, spec.rescue?.diskVolume, spec.rescue?.seedVolume],
        ...(spec.volumes ?? []).map((volume) => volume.volumeName),
      ].filter((volume) => volume !== undefined),
    );
    if (spec.network === 'isolated') await this.isolation.ensure(host);
    const filters = { open: OPEN_FILTER, isolated: this.isolation.name };
    const input = domainXml(host, spec, this.installationId, filters);
    await this.virsh.run(host, ['define', '--file', '/dev/stdin'], { input });
  }

  async undefine(host: HostRef, uuid: string): Promise<void> {
    await this.destroy(host, uuid);
    if (!(await this.own(host, uuid))) return;
    const withAll = ['--managed-save', '--snapshots-metadata', '--checkpoints-metadata', '--nvram'];
    await absentIsFine(this.virsh.run(host, ['undefine', '--domain', uuid, ...withAll]));
  }

  async state(host: HostRef, uuid: string): Promise<DomainState> {
    checkUuid(uuid);
    try {
      const said = await this.virsh.run(host, ['domstate', '--domain', uuid]);
      return STATES[said.trim()] ?? 'paused';
    } catch (error) {
      if (isHypervisorError(error, 'domain_missing')) return 'absent';
      throw error;
    }
  }

  async list(host: HostRef): Promise<DomainFacts[]> {
    const uuids = await this.uuids(host);
    if (uuids.length === 0) return [];
    const commands = uuids.flatMap((uuid) => [
      ['dumpxml', '--domain', uuid],
      ['domstate', '--domain', uuid, '--reason'],
    ]);
    const { outputs } = await this.virsh.script(host, commands, { timeoutSeconds: 120 });
    return uuids.flatMap((_uuid, index) => {
      const xml = outputs[2 * index] ?? '';
      if (!xml.includes('<domain')) return [];
      const { uuid, name, owner, disks, cards } = readDomain(xml);
      const said = (outputs[2 * index + 1] ?? '').trim();
      const state = STATES[said.replace(/ \(.*\)$/, '')] ?? 'paused';
      const volumes = disks.filter(({ isCd, volume }) => !isCd && volume !== '').map(({ volume }) => volume);
      const network =
        (['open', 'isolated'] as const).find((state) => cards.some((card) => card.network === state)) ??
        'closed';
      const wasCutOff = CUT_OFF.test(said);
      const addresses = cards.map(({ ipv4 }) => ipv4).filter((ipv4) => ipv4 !== '');
      return [{ uuid, name, state, wasCutOff, owner, ours: this.isOurs(owner), volumes, network, addresses }];
    });
  }

  async start(host: HostRef, uuid: string, { paused = false }: { paused?: boolean } = {}): Promise<void> {
    const { cards } = await this.need(host, uuid);
    if (cards.some(({ filter }) => filter === this.isolation.name)) await this.isolation.ensure(host);
    const args = ['start', '--domain', uuid, ...(paused ? ['--paused'] : [])];
    await this.virsh.run(host, args, { timeoutSeconds: START_TIMEOUT_SECONDS }).catch((error: unknown) => {
      if (!saysAlreadyRunning(error)) throw error;
    });
  }

  async shutdown(host: HostRef, uuid: string): Promise<void> {
    await this.need(host, uuid);
    await offIsFine(this.virsh.run(host, ['shutdown', '--domain', uuid, '--mode', 'acpi']));
  }

  async reboot(host: HostRef, uuid: string): Promise<void> {
    await this.need(host, uuid);
    await this.virsh.run(host, ['reboot', '--domain', uuid, '--mode', 'acpi']);
  }

  async reset(host: HostRef, uuid: string): Promise<void> {
    await this.need(host, uuid);
    await this.virsh.run(host, ['reset', '--domain', uuid]);
  }

  async destroy(host: HostRef, uuid: string): Promise<void> {
    if (!(await this.own(host, uuid))) return;
    const args = ['destroy', '--domain', uuid];
    await offIsFine(absentIsFine(this.virsh.run(host, args, { timeoutSeconds: START_TIMEOUT_SECONDS })));
  }

  /**
   * QEMU itself drops what passes a card whose link is down, whatever the guest does; such a card keeps its filter, so
   * that none is ever plugged in with a looser one for a moment.
   */
  async setNetwork(host: HostRef, uuid: string, network: NetworkState): Promise<void> {
    const { cards } = await this.need(host, uuid);
    if (network === 'isolated') await this.isolation.ensure(host);
    const filters = { open: OPEN_FILTER, isolated: this.isolation.name, closed: undefined };
    for (const { mac, ipv4, model, filter } of cards) {
      const wanted = {
        mac,
        ipv4,
        model,
        filter: filters[network] ?? filter,
        isPlugged: network !== 'closed',
      };
      const input = cardXml(host, wanted);
      const args = ['update-device', '--domain', uuid, '--file', '/dev/stdin'];
      await this.virsh.run(host, [...args, '--config'], { input });
      await offIsFine(this.virsh.run(host, [...args, '--live'], { input }));
    }
  }

  /** By QEMU's own count. */
  async diskReadBytes(host: HostRef, uuid: string): Promise<number> {
    const { disks } = await this.need(host, uuid);
    const own = disks.find(({ target }) => isOwnDisk(target))?.target ?? '';
    const said = await this.virsh.run(host, ['domblkstat', '--domain', uuid, '--device', own]);
    return Number(/\brd_bytes (\d+)/.exec(said)?.[1] ?? 0);
  }

  /** The domain where it exists and is ours. @throws domain_exists_foreign where it is not ours */
  async own(host: HostRef, uuid: string): Promise<DomainRecord | undefined> {
    checkUuid(uuid);
    try {
      const record = readDomain(await this.virsh.run(host, ['dumpxml', '--domain', uuid]));
      if (!this.isOurs(record.owner)) throw foreignDomain(host, uuid);
      return record;
    } catch (error) {
      if (isHypervisorError(error, 'domain_missing')) return undefined;
      throw error;
    }
  }

  /** @throws domain_missing, domain_exists_foreign */
  async need(host: HostRef, uuid: string): Promise<DomainRecord> {
    const record = await this.own(host, uuid);
    if (record) return record;
    throw new HypervisorError('domain_missing', `There is no domain ${uuid} on ${host.name}.`, {
      details: { host: host.name },
    });
  }

  /** Unplugs a disk from the definition, and from the guest where it runs; neither having it is success. */
  async detach(host: HostRef, uuid: string, target: string): Promise<void> {
    for (const scope of ['--config', '--live']) {
      const call = this.virsh.run(host, ['detach-disk', '--domain', uuid, '--target', target, scope]);
      await offIsFine(call).catch((error: unknown) => {
        if (!saysNoSuchDisk(error) && scope === '--config') throw error;
      });
    }
  }

  /** Name of a domain that has the volume, in what runs or in what is defined. */
  async userOf(host: HostRef, pool: string, volume: string): Promise<string | undefined> {
    const uuids = await this.uuids(host);
    if (uuids.length === 0) return undefined;
    const commands = uuids.flatMap((uuid) => [
      ['dumpxml', '--domain', uuid],
      ['dumpxml', '--domain', uuid, '--inactive'],
    ]);
    const { outputs } = await this.virsh.script(host, commands, { timeoutSeconds: 120 });
    const path = await this.virsh.run(host, ['vol-path', '--pool', pool, '--vol', volume]).catch(() => '');
    return outputs
      .filter((xml) => xml.includes('<domain'))
      .map(readDomain)
      .find(({ disks }) =>
        disks.some((disk) => disk.volume === volume || (path !== '' && disk.path === path.trim())),
      )?.name;
  }

  private async uuids(host: HostRef): Promise<string[]> {
    const listing = await this.virsh.run(host, ['list', '--all', '--uuid']);
    return listing
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  }

  private async needVolumes(host: HostRef, volumes: readonly string[]): Promise<void> {
    const commands = volumes.map((volume) => ['vol-path', '--pool', host.diskPool, '--vol', volume]);
    const { outputs } = await this.virsh.script(host, commands);
    const missing = volumes.find((_volume, index) => (outputs[index] ?? '').trim() === '');
    if (missing === undefined) return;
    throw new HypervisorError(
      'volume_missing',
      `There is no volume ${missing} on ${host.name}: create it first.`,
      {
        details: { host: host.name, volume: missing },
      },
    );
  }

  private isOurs(owner: DomainRecord['owner']): boolean {
    return owner?.installationId === this.installationId;
  }
}

function foreignDomain(host: HostRef, uuid: string): HypervisorError {
  const message = `Domain ${uuid} on ${host.name} does not carry our mark and is left alone.`;
  return new HypervisorError('domain_exists_foreign', message, { details: { host: host.name } });
}

async function offIsFine(call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) => {
    if (!isHypervisorError(error, 'domain_not_running')) throw error;
  });
}

async function absentIsFine(call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) => {
    if (!isHypervisorError(error, 'domain_missing')) throw error;
  });
}
