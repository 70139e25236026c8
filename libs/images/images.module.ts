import { Module } from '@nestjs/common';
import { Image } from './image.entity.ts';
import { ImagesService } from './images.service.ts';

/** Tables of this feature, for the app's data source. */
export const imagesEntities = [Image];

@Module({ providers: [ImagesService], exports: [ImagesService] })
export class ImagesModule {}
