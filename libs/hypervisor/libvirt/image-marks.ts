import type { ImageFacts, ImageFormat } from '../port/images.ts';
import type { PoolEntry } from './pool-listing.ts';

/** Longest image volume name, so that the name of its mark stays a file name. */
export const MAX_IMAGE_NAME = 120;

/**
 * virsh can neither rename a volume nor tag it, so the names of empty volumes beside an image say what it is:
 * `X.servery-part` from before an upload begins until it is proven whole, `X.servery-FORMAT-SIZE-SHA256` from
 * then on. An image without either mark is not ours.
 */
const WHOLE = /^(.+)\.servery-(qcow2|raw)-(\d+)-([0-9a-f]{64})$/;
const PART = '.servery-part';

/** A whole image as it lies in a pool. */
export interface StoredImage extends ImageFacts {
  readonly path: string;
  readonly format: ImageFormat;
  readonly mark: string;
}

export function wholeMark(image: Omit<ImageFacts, 'path'> & { readonly format: ImageFormat }): string {
  return `${image.volumeName}.servery-${image.format}-${image.virtualSizeBytes}-${image.sha256}`;
}

export function partMark(volumeName: string): string {
  return `${volumeName}${PART}`;
}

export function isMark(name: string): boolean {
  return name.endsWith(PART) || WHOLE.test(name);
}

/** Images that carry the mark of being whole, and none of being half there. */
export function wholeImages(entries: readonly PoolEntry[]): StoredImage[] {
  const paths = new Map(entries.map((entry) => [entry.name, entry.path]));
  return entries.flatMap((entry) => {
    const [, volumeName = '', format, size, sha256 = ''] = WHOLE.exec(entry.name) ?? [];
    const path = paths.get(volumeName);
    if (path === undefined || paths.has(partMark(volumeName))) return [];
    const facts = { volumeName, sha256, virtualSizeBytes: Number(size), path, mark: entry.name };
    return [{ ...facts, format: format === 'raw' ? ('raw' as const) : ('qcow2' as const) }];
  });
}
