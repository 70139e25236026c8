import { Injectable } from '@nestjs/common';
import { DataSource, In, IsNull } from 'typeorm';
import { type Image, ImagesService } from '#libs/images';
import { firstPage, type ListQuery, type Page, pageOf } from '#libs/listing';
import { fits } from '#libs/placement';
import { notInCatalog } from './catalog.errors.ts';
import { Location } from './location.entity.ts';
import { ServerType } from './server-type.entity.ts';

/** One appliance with each size that it can be ordered in. */
export interface Product {
  readonly image: Image;
  readonly offers: readonly Offer[];
}

/** A size of a product; `inStock` is a hint from the fleet's free capacity now, not a promise. */
export interface Offer {
  readonly serverType: ServerType;
  readonly inStock: boolean;
}

/** What can be ordered: server types, places, and the products made of them and the golden images. */
@Injectable()
export class CatalogService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly images: ImagesService,
  ) {}

  /** Every appliance with the sizes that are large enough for it, the smallest first. */
  async products(): Promise<Product[]> {
    const { items } = await this.images.list({ ...firstPage, sort: [{ field: 'name', direction: 'asc' }] });
    return Promise.all(items.map((image) => this.productOf(image)));
  }

  /** @throws DomainError `product_not_found` */
  async product(name: string): Promise<Product> {
    return this.productOf(await this.image(name));
  }

  /** What a product is made of now. @throws DomainError `product_not_found` */
  async image(name: string): Promise<Image> {
    const { items } = await this.images.list({ ...firstPage, filters: { name: [name] } });
    const [image] = items;
    if (!image) throw notInCatalog('product_not_found', 'product', name);
    return image;
  }

  /** Those that can be ordered: with a price, and not withdrawn. Filters: id, name. Sorts: id, name. */
  serverTypes(query: ListQuery = firstPage): Promise<Page<ServerType>> {
    const builder = this.dataSource
      .getRepository(ServerType)
      .createQueryBuilder('type')
      .where('type.deprecatedAt IS NULL')
      .andWhere('type.id IN (SELECT id FROM server_type_prices)');
    const columns = { id: 'type.id', name: 'type.name' };
    return pageOf(builder, query, { id: 'type.id', filters: columns, sorts: columns });
  }

  /** Filters: id, name. Sorts: id, name. */
  locations(query: ListQuery = firstPage): Promise<Page<Location>> {
    const builder = this.dataSource.getRepository(Location).createQueryBuilder('location');
    const columns = { id: 'location.id', name: 'location.name' };
    return pageOf(builder, query, { id: 'location.id', filters: columns, sorts: columns });
  }

  /** Rows by id, withdrawn sizes too; unknown ids are left out. */
  serverTypesByIds(ids: readonly number[]): Promise<ServerType[]> {
    return this.dataSource.getRepository(ServerType).findBy({ id: In([...ids]) });
  }

  /** @throws DomainError `server_type_not_found` */
  async serverType(idOrName: number | string): Promise<ServerType> {
    const id = Number(idOrName);
    const repository = this.dataSource.getRepository(ServerType);
    const found = Number.isSafeInteger(id)
      ? await repository.findOneBy({ id })
      : await repository.findOneBy({ name: String(idOrName), deprecatedAt: IsNull() });
    // A size that never had a price was never sold.
    if (!found || found.priceHourlyMicro === null)
      throw notInCatalog('server_type_not_found', 'server type', idOrName);
    return found;
  }

  /**
   * A location by id or name (a datacenter's name, `<location>-dc1`, stands for its location); the first one by
   * name when none is asked for. @throws DomainError `location_not_found`
   */
  async location(idOrName?: number | string): Promise<Location> {
    const repository = this.dataSource.getRepository(Location);
    if (idOrName === undefined) {
      const [first] = await repository.find({ order: { name: 'ASC' }, take: 1 });
      if (!first) throw notInCatalog('location_not_found', 'location', '(none is set up yet)');
      return first;
    }
    const id = Number(idOrName);
    const found = Number.isSafeInteger(id)
      ? await repository.findOneBy({ id })
      : await repository.findOneBy({ name: String(idOrName).replace(/-dc1$/, '') });
    if (!found) throw notInCatalog('location_not_found', 'location', idOrName);
    return found;
  }

  private async productOf(image: Image): Promise<Product> {
    const { appliance } = image;
    const types = await this.dataSource.getRepository(ServerType).find({ where: { deprecatedAt: IsNull() } });
    const location = await this.location();
    const offers = types
      .filter(
        (type) => type.memoryMib >= appliance.minimumMemoryMib && type.diskGib >= appliance.minimumDiskGib,
      )
      .filter(({ priceHourlyMicro }) => priceHourlyMicro !== null)
      .toSorted((a, b) => a.priceHourlyMicro - b.priceHourlyMicro || a.id - b.id)
      .map(async (serverType) => ({
        serverType,
        inStock: await fits(this.dataSource.manager, {
          ...demandOf(serverType),
          locationId: location.id,
          imageId: image.id,
        }),
      }));
    return { image, offers: await Promise.all(offers) };
  }
}

/** What a server of this type takes from a host. */
export function demandOf(type: ServerType): { vcpus: number; memoryMib: number; diskGib: number } {
  return { vcpus: type.vcpus, memoryMib: type.memoryMib, diskGib: type.diskGib };
}
