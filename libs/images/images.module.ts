import { Module } from '@nestjs/common';
import { Image } from './image.entity.ts';
import { ImageContentsService } from './image-contents.service.ts';
import { ImagePackage } from './image-package.entity.ts';
import { ImagesService } from './images.service.ts';

/** Tables of this feature, for the app's data source. */
export const imagesEntities = [Image, ImagePackage];

@Module({ providers: [ImageContentsService, ImagesService], exports: [ImageContentsService, ImagesService] })
export class ImagesModule {}
