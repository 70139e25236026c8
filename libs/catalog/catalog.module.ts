import { Module } from '@nestjs/common';
import { ImagesModule } from '#libs/images';
import { CatalogService } from './catalog.service.ts';

@Module({ imports: [ImagesModule], providers: [CatalogService], exports: [CatalogService] })
export class CatalogModule {}
