import { Module } from '@nestjs/common';
import { Iso } from './iso.entity.ts';
import { IsoCommands } from './iso-commands.ts';
import { IsosService } from './isos.service.ts';

/** Tables of this feature, for the app's data source. */
export const isosEntities = [Iso];

/** Needs `SagaStore` and `SagaQueue`, which the app provides globally. */
@Module({ providers: [IsoCommands, IsosService], exports: [IsoCommands, IsosService] })
export class IsosModule {}
