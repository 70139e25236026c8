import { useQuery } from '@tanstack/react-query';
import type { ImageWire, ProductWire } from '#libs/contracts';
import { productOfImage } from '../own-product.ts';
import { catalogQuery } from './catalog.ts';
import { imageQuery } from './images.ts';

export interface Orderable {
  /** Undefined while it is looked for; null where there is no such thing. */
  readonly product: ProductWire | null | undefined;
  /** Of one's own, where it is one. */
  readonly image: ImageWire | null;
  readonly currency: string;
  readonly error: Error | null;
  readonly retry: () => unknown;
}

/** What can be ordered by a name: a product of the catalog, or an image of one's own by its id. */
export function useOrderable(name: string | undefined): Orderable {
  const imageId = /^[1-9]\d*$/.test(name ?? '') ? Number(name) : null;
  const catalog = useQuery(catalogQuery);
  const image = useQuery({ ...imageQuery(imageId ?? 0), enabled: imageId !== null });
  const currency = catalog.data?.currency ?? '';
  const product = catalog.data && (imageId === null ? named(catalog.data.products, name) : own());
  const error = catalog.error ?? (imageId === null ? null : image.error);
  const retry = () => (catalog.error ? catalog : image).refetch();
  return { product, image: image.data ?? null, currency, error, retry };

  function own(): ProductWire | undefined {
    return image.data && catalog.data && productOfImage(image.data, catalog.data);
  }
}

function named(products: readonly ProductWire[], name: string | undefined): ProductWire | null {
  return products.find((one) => one.name === name) ?? null;
}
