import type { Image } from './image.entity.ts';

/** As what a server of an image is billed, by the price book: a snapshot has the appliance of what it was made of. */
export function billedNameOf({ appliance: { name, billedAs = name } }: Pick<Image, 'appliance'>): string {
  return billedAs;
}
