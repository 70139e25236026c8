import type { CatalogResponse, ImageWire, ProductWire } from '#libs/contracts';
import { sizesOf } from './offers.ts';

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.5"><path d="M4 6.5 12 3l8 3.5v11L12 21l-8-3.5z"/><path d="m4 6.5 8 3.5 8-3.5M12 10v11"/></svg>';

/** An image of one's own as something to be ordered: in the sizes of the catalog that its disk fits in. */
export function productOfImage(image: ImageWire, catalog: Pick<CatalogResponse, 'products'>): ProductWire {
  return {
    name: String(image.id),
    title: image.description,
    summary: 'Made of an image of yours.',
    description: '',
    category: 'own',
    icon_svg: ICON,
    screenshot: null,
    os_flavor: image.os_flavor,
    os_version: image.os_version ?? '',
    licence: '',
    licence_forbids: [],
    ports: [],
    secrets: [],
    health_checks: [],
    packages_count: 0,
    min_memory_gb: 0,
    min_disk_gb: image.disk_size,
    image_id: image.id,
    cooked_at: image.created,
    verified_at: null,
    offers: sizesOf(catalog).filter(({ server_type: { disk } }) => disk >= image.disk_size),
  };
}
