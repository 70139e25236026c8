import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { NetworkGuestReach, parseGuestProxy } from '../guest/index.ts';
import { LibvirtHypervisor } from '../libvirt/index.ts';
import { GUEST_REACH, type GuestReach } from '../port/guest-reach.ts';
import { HYPERVISOR, type Hypervisor } from '../port/hypervisor.ts';
import { SimulatedFleet, SimulatedGuestReach, SimulatedHypervisor } from '../simulated/index.ts';
import {
  LIBVIRT_URI,
  type Route,
  RoutingGuestReach,
  RoutingHypervisor,
  SIMULATED_URI,
} from './routing-hypervisor.ts';

export interface HypervisorOptions {
  /** Written into each domain; a domain that carries another's, or none, is never changed. */
  readonly installationId: string;
  /** IPv4 addresses and networks that isolated guests may connect to (SERVERY_ISOLATED_NETWORK_ALLOWS). */
  readonly isolatedAllows?: readonly string[] | undefined;
  /** `unix:/path` of a CONNECT proxy into the guests' network (SERVERY_GUEST_PROXY); else directly. */
  readonly guestProxy?: string | undefined;
  /** Folder of a simulated fleet; without it `simulated:` hosts are refused. */
  readonly simulatedFolder?: string | undefined;
}

/** Both faces of the fleet, ready to use outside Nest as well. Dispose of it when done. */
export interface HypervisorDrivers extends Disposable {
  readonly hypervisor: Hypervisor;
  readonly guestReach: GuestReach;
}

export function createHypervisorDrivers(options: HypervisorOptions): HypervisorDrivers {
  const { installationId, isolatedAllows = [] } = options;
  const libvirt = new LibvirtHypervisor({ installationId, isolatedAllows });
  const network = new NetworkGuestReach(parseGuestProxy(options.guestProxy));
  const hypervisors: Route<Hypervisor>[] = [{ uri: LIBVIRT_URI, driver: libvirt }];
  const reaches: Route<GuestReach>[] = [{ uri: LIBVIRT_URI, driver: network }];
  if (options.simulatedFolder !== undefined) {
    const fleet = new SimulatedFleet(options.simulatedFolder);
    hypervisors.push({ uri: SIMULATED_URI, driver: new SimulatedHypervisor(fleet, installationId) });
    reaches.push({ uri: SIMULATED_URI, driver: new SimulatedGuestReach(fleet) });
  }
  return {
    hypervisor: new RoutingHypervisor(hypervisors),
    guestReach: new RoutingGuestReach(reaches),
    [Symbol.dispose]: () => libvirt[Symbol.dispose](),
  };
}

const DRIVERS = Symbol('HypervisorDrivers');

/** Gives HYPERVISOR and GUEST_REACH everywhere in the application that imports it. */
@Module({})
export class HypervisorModule implements OnApplicationShutdown {
  private readonly drivers: HypervisorDrivers;

  constructor(@Inject(DRIVERS) drivers: HypervisorDrivers) {
    this.drivers = drivers;
  }

  static forRoot(options: HypervisorOptions): DynamicModule {
    return {
      module: HypervisorModule,
      global: true,
      providers: [
        { provide: DRIVERS, useFactory: () => createHypervisorDrivers(options) },
        {
          provide: HYPERVISOR,
          inject: [DRIVERS],
          useFactory: (drivers: HypervisorDrivers) => drivers.hypervisor,
        },
        {
          provide: GUEST_REACH,
          inject: [DRIVERS],
          useFactory: (drivers: HypervisorDrivers) => drivers.guestReach,
        },
      ],
      exports: [HYPERVISOR, GUEST_REACH],
    };
  }

  onApplicationShutdown(): void {
    this.drivers[Symbol.dispose]();
  }
}
