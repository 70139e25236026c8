import { Module } from '@nestjs/common';
import { ImagesService } from './images.service.ts';

@Module({ providers: [ImagesService], exports: [ImagesService] })
export class ImagesModule {}
