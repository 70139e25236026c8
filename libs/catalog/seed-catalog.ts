import type { EntityManager } from 'typeorm';
import { newId } from '#libs/kernel';

/** Billed hours after which a month is paid: 28 days. The monthly cap of each type is so many times its hour. */
const CAPPED_HOURS = 672;
const MICRO_PER_MINOR = 1_000_000;

interface TypeSeed {
  readonly name: string;
  readonly description: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly diskGib: number;
  readonly priceHourlyMicro: number;
}

/** The sizes that a new installation starts with; operators change them in the database's catalog. */
export const DEFAULT_SERVER_TYPES: readonly TypeSeed[] = [
  { name: 's1', description: 'Small', vcpus: 1, memoryMib: 1024, diskGib: 10, priceHourlyMicro: 625_000 },
  { name: 's2', description: 'Medium', vcpus: 2, memoryMib: 2048, diskGib: 20, priceHourlyMicro: 1_250_000 },
  { name: 's4', description: 'Large', vcpus: 4, memoryMib: 8192, diskGib: 80, priceHourlyMicro: 4_375_000 },
];

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
  for (const type of DEFAULT_SERVER_TYPES) {
    const monthlyMinor = Math.floor((type.priceHourlyMicro * CAPPED_HOURS) / MICRO_PER_MINOR);
    await manager.query(
      `INSERT INTO server_types (id, name, description, vcpus, memory_mib, disk_gib, price_hourly_micro, price_monthly_minor)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO NOTHING`,
      [
        newId(),
        type.name,
        type.description,
        type.vcpus,
        type.memoryMib,
        type.diskGib,
        type.priceHourlyMicro,
        monthlyMinor,
      ],
    );
  }
}
