import { beforeAll, describe, expect, it } from 'vitest';
import { changePrice, firstPrice } from '#libs/billing';
import { ImagesService, imagesEntities } from '#libs/images';
import { testDatabase } from '../../test/support/test-database.ts';
import { catalogEntities } from './catalog.module.ts';
import { CatalogService } from './catalog.service.ts';
import { seedCatalog } from './seed-catalog.ts';

const database = testDatabase({ entities: [...catalogEntities, ...imagesEntities] });
const place = { name: 'lab', description: 'Lab', city: 'Lab', country: 'DE', networkZone: 'lab' };
let catalog: CatalogService;

beforeAll(async () => {
  await seedCatalog(database.dataSource.manager, place);
  catalog = new CatalogService(database.dataSource, new ImagesService(database.dataSource));
});

describe('the price of a server type', () => {
  it('is that of the price book, however it is looked up', async () => {
    const s1 = { name: 's1', priceHourlyMicro: 625_000, priceMonthlyMinor: 420 };
    const type = await catalog.serverType('s1');
    expect(type).toMatchObject(s1);
    expect(await catalog.serverType(type.id)).toMatchObject(s1);
    expect(await catalog.serverTypesByIds([type.id])).toMatchObject([s1]);
    const { items, total } = await catalog.serverTypes();
    expect(items).toContainEqual(expect.objectContaining(s1));
    expect(total).toBe(3);
  });

  it('changes when the price book changes, and not before', async () => {
    const now = new Date();
    const change = { item: 'compute/s2' as const, hourlyMicro: 3_000_000, now };
    const ahead = new Date(now.getTime() + 3_600_000);
    await changePrice(database.dataSource.manager, { ...change, effectiveFrom: ahead });
    expect(await catalog.serverType('s2')).toMatchObject({
      priceHourlyMicro: 1_250_000,
      priceMonthlyMinor: 840,
    });
    await changePrice(database.dataSource.manager, { ...change, effectiveFrom: now });
    expect(await catalog.serverType('s2')).toMatchObject({
      priceHourlyMicro: 3_250_000,
      priceMonthlyMinor: 2184,
    });
  });

  it('is needed for it to be sold', async () => {
    await database.dataSource.query(
      `INSERT INTO server_types (id, name, description, vcpus, memory_mib, disk_gib) VALUES (1, 'x1', 'X', 1, 1, 1)`,
    );
    const { manager } = database.dataSource;
    const names = async () => (await catalog.serverTypes()).items.map(({ name }) => name);
    for (const component of ['compute', 'disk'] as const) {
      expect(await names()).not.toContain('x1');
      await expect(catalog.serverType('x1')).rejects.toMatchObject({ code: 'server_type_not_found' });
      await firstPrice(manager, { item: `${component}/x1`, title: 'x1', hourlyMicro: 1 });
    }
    expect(await names()).toContain('x1');
    expect(await catalog.serverType('x1')).toMatchObject({ priceHourlyMicro: 2 });
  });
});
