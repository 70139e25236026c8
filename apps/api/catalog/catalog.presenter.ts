import { Inject, Injectable } from '@nestjs/common';
import { CatalogService, type Location, type Offer, type Product, type ServerType } from '#libs/catalog';
import { ENVIRONMENT, type Environment } from '#libs/config';
import type {
  DatacenterWire,
  LocationWire,
  OfferWire,
  PriceInLocationWire,
  ProductWire,
  ServerTypeWire,
} from '#libs/contracts';
import type { Image } from '#libs/images';
import { firstPage } from '#libs/listing';
import {
  freeOfCharge,
  mibToGib,
  wirePriceMicro,
  wirePriceMinor,
  wireTime,
  wireTimeOrNull,
} from '../http/wire.ts';
import { presentSecrets } from './image.presenter.ts';

/** What a catalog object needs beside its row, read once for any number of objects. */
export interface CatalogContext {
  readonly locations: readonly Location[];
  readonly serverTypes: readonly ServerType[];
  /** Ids of the server types that the fleet has room for now. */
  readonly inStock: ReadonlySet<number>;
}

@Injectable()
export class CatalogPresenter {
  constructor(
    private readonly catalog: CatalogService,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  async context(): Promise<CatalogContext> {
    const [locations, serverTypes, products] = await Promise.all([
      this.catalog.locations(),
      this.catalog.serverTypes(),
      this.catalog.products(),
    ]);
    const offers = products.flatMap((product) => product.offers).filter(({ inStock }) => inStock);
    return {
      locations: locations.items,
      serverTypes: serverTypes.items,
      inStock: new Set(offers.map(({ serverType }) => serverType.id)),
    };
  }

  async locations(): Promise<readonly Location[]> {
    return (await this.catalog.locations(firstPage)).items;
  }

  get currency(): string {
    return this.environment.SERVERY_CURRENCY.toUpperCase();
  }

  get isPaymentEmulated(): boolean {
    return this.environment.STRIPE_API_HOST !== undefined;
  }
}

/** Places have no coordinates yet: zero stands for unknown. */
export function presentLocation(location: Location): LocationWire {
  return {
    id: location.id,
    name: location.name,
    description: location.description,
    city: location.city,
    country: location.country,
    latitude: 0,
    longitude: 0,
    network_zone: location.networkZone,
  };
}

export function presentDatacenter(location: Location, context: CatalogContext): DatacenterWire {
  const supported = context.serverTypes.map(({ id }) => id);
  return {
    id: location.id,
    name: `${location.name}-dc1`,
    description: `${location.description}, data centre 1`,
    location: presentLocation(location),
    server_types: {
      supported,
      available: supported.filter((id) => context.inStock.has(id)),
      available_for_migration: [],
    },
  };
}

export function presentServerType(type: ServerType, locations: readonly Location[]): ServerTypeWire {
  return {
    id: type.id,
    name: type.name,
    description: type.description,
    category: 'Shared vCPU',
    cores: type.vcpus,
    memory: mibToGib(type.memoryMib),
    disk: type.diskGib,
    cpu_type: 'shared',
    storage_type: 'local',
    architecture: 'x86',
    deprecated: type.deprecatedAt !== null,
    deprecation: null,
    locations: locations.map(({ id, name }) => ({ id, name, deprecation: null })),
    prices: presentPrices(type, locations),
  };
}

/** One price everywhere; traffic is not metered, so none of it is included and none is charged. */
export function presentPrices(type: ServerType, locations: readonly Location[]): PriceInLocationWire[] {
  return locations.map(({ name }) => ({
    location: name,
    price_hourly: wirePriceMicro(type.priceHourlyMicro),
    price_monthly: wirePriceMinor(type.priceMonthlyMinor),
    included_traffic: 0,
    price_per_tb_traffic: freeOfCharge,
  }));
}

export function presentProduct({ image, offers }: Product): ProductWire {
  const { appliance } = image;
  return {
    name: appliance.name,
    title: appliance.title,
    summary: appliance.summary,
    description: appliance.description,
    category: appliance.category,
    icon_svg: appliance.iconSvg,
    screenshot: appliance.screenshot
      ? {
          url: `/v1/catalog/${appliance.name}/screenshot`,
          width: appliance.screenshot.widthPx,
          height: appliance.screenshot.heightPx,
        }
      : null,
    os_flavor: appliance.osFlavor,
    os_version: appliance.osVersion,
    licence: appliance.licence,
    licence_forbids: [...(appliance.licenceForbids ?? [])],
    ports: appliance.ports.map(({ name, port, protocol }) => ({ name, port, protocol })),
    secrets: presentSecrets(appliance),
    health_checks: [...appliance.healthChecks],
    packages_count: image.packageCount,
    min_memory_gb: mibToGib(appliance.minimumMemoryMib),
    min_disk_gb: appliance.minimumDiskGib,
    image_id: image.id,
    cooked_at: wireTime(cookedAt(image)),
    verified_at: wireTimeOrNull(image.verifiedAt),
    offers: offers.map(presentOffer),
  };
}

/** When it was published, where no more is known. */
export function cookedAt({ cookedAt, createdAt }: Image): Date {
  return cookedAt ?? createdAt;
}

function presentOffer({ serverType, inStock }: Offer): OfferWire {
  const { id, name, description, vcpus, memoryMib, diskGib } = serverType;
  return {
    server_type: { id, name, description, cores: vcpus, memory: mibToGib(memoryMib), disk: diskGib },
    price_hourly: wirePriceMicro(serverType.priceHourlyMicro),
    price_monthly: wirePriceMinor(serverType.priceMonthlyMinor),
    in_stock: inStock,
  };
}
