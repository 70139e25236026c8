import { createHash } from 'node:crypto';
import type { AgentExecOptions, AgentExecResult } from '../port/guest-agent.ts';
import type { HostRef } from '../port/hosts.ts';
import { checkLogin, checkUuid } from '../specs.ts';
import { runOnBlocks, runOnDisc } from './simulated-blocks.ts';
import type { SimulatedFleet } from './simulated-fleet.ts';
import { flushed, runProgram } from './simulated-guest.ts';
import { refusal, type SimulatedInventory } from './simulated-inventory.ts';
import { bootIdOf, FRESH_SOFTWARE, runOwnProgram } from './simulated-programs.ts';

/** The guest agents of simulated domains. */
export class SimulatedAgent {
  private readonly fleet: SimulatedFleet;
  private readonly inventory: SimulatedInventory;
  private readonly isolatedAllows: readonly string[];

  constructor(fleet: SimulatedFleet, inventory: SimulatedInventory, isolatedAllows: readonly string[]) {
    this.fleet = fleet;
    this.inventory = inventory;
    this.isolatedAllows = isolatedAllows;
  }

  agentPing(ref: HostRef, uuid: string): Promise<boolean> {
    return this.fleet.call(ref, 'agentPing', (host) => {
      checkUuid(uuid);
      const domain = this.fleet.domain(host.name, uuid);
      return domain !== undefined && this.inventory.agentIsUp(host, domain);
    });
  }

  agentExec(
    ref: HostRef,
    uuid: string,
    argv: readonly [string, ...string[]],
    { input = '' }: AgentExecOptions,
  ): Promise<AgentExecResult> {
    return this.fleet.call(ref, 'agentExec', (host) => {
      const disk = this.inventory.needAgent(host, ref, uuid);
      const domain = this.inventory.needDomain(host, uuid);
      const { network, startedAtMs, vcpus, volumes } = domain;
      const [, , , name = '', ...args] = argv;
      const bootId = bootIdOf(uuid, startedAtMs);
      const failsFirstBoot = host.guestFault === 'first_boot_fails';
      const call = { name, args, input, bootId, failsFirstBoot };
      const own = disk.guest && runOwnProgram(call, disk.guest.software ?? FRESH_SOFTWARE);
      if (disk.guest && own) {
        this.fleet.putVolume(host.name, { ...disk, guest: { ...disk.guest, software: own.software } });
        return own.result;
      }
      if (disk.guest && argv[0].endsWith('/sync'))
        this.fleet.putVolume(host.name, { ...disk, guest: flushed(disk.guest) });
      const blocks = volumes.map(({ volumeName }) => this.inventory.needVolume(host, ref, volumeName));
      const onDisc = runOnDisc(argv, domain.iso && this.fleet.imagePath(host.name, domain.iso));
      if (onDisc) return onDisc;
      const onBlock = runOnBlocks(argv, input, blocks);
      if (onBlock?.volume) this.fleet.putVolume(host.name, onBlock.volume);
      if (onBlock) return onBlock.result;
      const reaches = (address: string) =>
        network === 'open' || (network === 'isolated' && this.isolatedAllows.includes(address));
      const hostname = disk.guest?.hostname ?? '';
      const diskBytes = this.inventory.needVolume(host, ref, domain.diskVolume).capacityBytes;
      return runProgram(argv, { hostname, reaches, fault: host.guestFault, input, bootId, vcpus, diskBytes });
    });
  }

  agentSetPassword(ref: HostRef, uuid: string, user: string, password: string): Promise<void> {
    return this.fleet.call(ref, 'agentSetPassword', (host) => {
      checkLogin({ user, password });
      const disk = this.inventory.needAgent(host, ref, uuid);
      if (!disk.guest) throw refusal(host, 'agent_not_answering', `Guest ${uuid} has not booted.`);
      if (user !== 'root') throw refusal(host, 'agent_refused', `The guest has no user ${user}.`);
      const digest = createHash('sha256').update(password).digest('hex');
      const passwordDigests = { ...disk.guest.passwordDigests, [user]: digest };
      this.fleet.putVolume(host.name, { ...disk, guest: { ...disk.guest, passwordDigests } });
    });
  }
}
