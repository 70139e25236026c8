import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { ImagePackageWire, imagePackagesQuery } from '#libs/contracts';
import type { Image, ImagePackage } from '#libs/images';
import type { ListQuery } from '#libs/listing';
import { toListQuery } from '../http/list-query.ts';

export function presentPackage({
  name,
  version,
  architecture,
  source,
  sha256,
}: ImagePackage): ImagePackageWire {
  return { name, version, architecture, source, sha256 };
}

export function toPackagesQuery({ search, ...list }: z.output<typeof imagePackagesQuery>): {
  query: ListQuery;
  search: string | undefined;
} {
  return { query: toListQuery(list), search };
}

/** To the byte, by the media type that CycloneDX has for it. */
export function sendSbom(reply: FastifyReply, image: Image, document: string): void {
  void reply
    .header('content-type', 'application/vnd.cyclonedx+json; version=1.6')
    .header('content-disposition', `attachment; filename="image-${image.id}.cdx.json"`)
    .send(document);
}
