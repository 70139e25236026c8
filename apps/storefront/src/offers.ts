import type { CatalogResponse, OfferWire } from '#libs/contracts';

/** The offer with the lowest hourly price, or undefined of none. */
export function cheapestOffer(offers: readonly OfferWire[]): OfferWire | undefined {
  return offers.toSorted((a, b) => Number(a.price_hourly.gross) - Number(b.price_hourly.gross))[0];
}

/** The size that is offered first: the cheapest in stock, else the cheapest. */
export function defaultOffer(offers: readonly OfferWire[]): OfferWire | undefined {
  return cheapestOffer(offers.filter((offer) => offer.in_stock)) ?? cheapestOffer(offers);
}

/** Every size that something of the catalog is offered in, the cheapest first. */
export function sizesOf({ products }: Pick<CatalogResponse, 'products'>): OfferWire[] {
  const offers = products.flatMap((product) => product.offers);
  const byType = new Map(offers.map((offer) => [offer.server_type.id, offer]));
  return [...byType.values()].toSorted(
    (a, b) => Number(a.price_monthly.gross) - Number(b.price_monthly.gross),
  );
}
