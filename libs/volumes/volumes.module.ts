import { Module } from '@nestjs/common';
import { OrdersModule } from '#libs/orders';
import { Volume } from './volume.entity.ts';
import { VolumeCommands } from './volume-commands.ts';
import { VolumeSuspensions } from './volume-suspensions.ts';
import { VolumesService } from './volumes.service.ts';

/** Tables of this feature, for the app's data source. */
export const volumesEntities = [Volume];

/** Needs `SagaStore` and `SagaQueue`, which the app provides globally. */
@Module({
  imports: [OrdersModule],
  providers: [VolumeCommands, VolumesService],
  exports: [VolumeCommands, VolumesService],
})
export class VolumesModule {}

/** For the worker, which takes no orders. */
@Module({ providers: [VolumeSuspensions], exports: [VolumeSuspensions] })
export class VolumeSuspensionsModule {}
