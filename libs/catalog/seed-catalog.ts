import type { EntityManager } from 'typeorm';
import { firstPrice } from '#libs/billing';
import { newId } from '#libs/kernel';

interface TypeSeed {
  readonly name: string;
  readonly description: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly diskGib: number;
  /** CPU and RAM for an hour, in millionths of the minor unit. */
  readonly computeHourlyMicro: number;
  readonly diskHourlyMicro: number;
}

/** The sizes that a new installation starts with; operators change their prices in the price book. */
export const DEFAULT_SERVER_TYPES: readonly TypeSeed[] = [
  {
    name: 's1',
    description: 'Small',
    vcpus: 1,
    memoryMib: 1024,
    diskGib: 10,
    computeHourlyMicro: 500_000,
    diskHourlyMicro: 125_000,
  },
  {
    name: 's2',
    description: 'Medium',
    vcpus: 2,
    memoryMib: 2048,
    diskGib: 20,
    computeHourlyMicro: 1_000_000,
    diskHourlyMicro: 250_000,
  },
  {
    name: 's4',
    description: 'Large',
    vcpus: 4,
    memoryMib: 8192,
    diskGib: 80,
    computeHourlyMicro: 3_500_000,
    diskHourlyMicro: 875_000,
  },
];

/** 4.37 minor units for a GiB in a month. */
const VOLUME_GIB_HOURLY_MICRO = 6_500;

/** Puts in the location and the default sizes where they are missing. Changes nothing that is there. */
export async function seedCatalog(
  manager: EntityManager,
  location: { name: string; description: string; city: string; country: string; networkZone: string },
): Promise<void> {
  await manager.query(
    `INSERT INTO locations (id, name, description, city, country, network_zone)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING`,
    [newId(), location.name, location.description, location.city, location.country, location.networkZone],
  );
  await firstPrice(manager, {
    item: 'volume/gib',
    title: 'Volume, per GiB',
    hourlyMicro: VOLUME_GIB_HOURLY_MICRO,
  });
  for (const type of DEFAULT_SERVER_TYPES) {
    await manager.query(
      `INSERT INTO server_types (id, name, description, vcpus, memory_mib, disk_gib)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING`,
      [newId(), type.name, type.description, type.vcpus, type.memoryMib, type.diskGib],
    );
    await firstPrice(manager, {
      item: `compute/${type.name}`,
      title: `${type.name}: CPU and RAM`,
      hourlyMicro: type.computeHourlyMicro,
    });
    await firstPrice(manager, {
      item: `disk/${type.name}`,
      title: `${type.name}: disk`,
      hourlyMicro: type.diskHourlyMicro,
    });
  }
}
