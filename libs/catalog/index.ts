export type { CatalogErrorCode } from './catalog.errors.ts';
export { CatalogModule, catalogEntities } from './catalog.module.ts';
export { CatalogService, demandOf, type Offer, type Product } from './catalog.service.ts';
export { Location } from './location.entity.ts';
export { DEFAULT_SERVER_TYPES, seedCatalog } from './seed-catalog.ts';
export { ServerType } from './server-type.entity.ts';
