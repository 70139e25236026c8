import type { ServerWire } from '#libs/contracts';

interface Built {
  readonly image: Pick<NonNullable<ServerWire['image']>, 'id' | 'name'> | null;
  readonly servery: Pick<ServerWire['servery'], 'appliance' | 'upgraded_to'>;
}

/**
 * What a server is made of, as a rebuild takes it. A recipe may be called like a product of the catalog: an image of one's own
 * goes by its id.
 */
export function imageNow(server: Built): string {
  const { appliance, upgraded_to: upgraded } = server.servery;
  return isOwnImage(server) ? String(upgraded?.image ?? server.image?.id) : appliance;
}

/** Images of the catalog alone have a name. */
export function isOwnImage({ image }: Pick<Built, 'image'>): boolean {
  return image !== null && image.name === null;
}
