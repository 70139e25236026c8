import { DomainError } from '#libs/kernel';

export type CatalogErrorCode = 'server_type_not_found' | 'location_not_found' | 'product_not_found';

export function notInCatalog(code: CatalogErrorCode, what: string, id: number | string): DomainError {
  return new DomainError('not_found', code, `there is no ${what} ${id}`);
}
