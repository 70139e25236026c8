import type { Duplex } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { OpenedConsole } from '#libs/consoles';
import type { ConsoleClose } from '#libs/contracts';
import { HYPERVISOR, type Hypervisor, isHypervisorError } from '#libs/hypervisor';
import { HostsService, toHostRef } from '#libs/placement';

/** The machines' side of consoles. */
@Injectable()
export class MachineConsoles {
  constructor(
    private readonly hosts: HostsService,
    @Inject(HYPERVISOR) private readonly hypervisor: Hypervisor,
    private readonly log: PinoLogger,
  ) {}

  /** The console's bytes, or why there are none. */
  async reach({ hostId, domainUuid, kind }: OpenedConsole): Promise<Duplex | ConsoleClose> {
    if (hostId === null) return 'ended';
    const host = toHostRef(await this.hosts.get(hostId));
    try {
      return await this.hypervisor.openConsole(host, domainUuid, kind);
    } catch (err) {
      if (isHypervisorError(err, 'console_missing')) return 'not_there';
      if (isHypervisorError(err, 'console_busy')) return 'in_use';
      if (isHypervisorError(err, 'domain_not_running', 'domain_missing')) return 'ended';
      this.log.warn({ err }, 'the console of a server could not be reached');
      return 'host_unreachable';
    }
  }
}
