import { Module } from '@nestjs/common';
import { ImagesModule } from '#libs/images';
import { CatalogService } from './catalog.service.ts';
import { Location } from './location.entity.ts';
import { ServerType } from './server-type.entity.ts';

/** Tables of this feature, for the app's data source. */
export const catalogEntities = [Location, ServerType];

@Module({ imports: [ImagesModule], providers: [CatalogService], exports: [CatalogService] })
export class CatalogModule {}
