import { Module } from '@nestjs/common';
import { OrdersModule } from '#libs/orders';
import { EnvelopeCipher } from '#libs/secrets';
import { Rehearsal } from './rehearsal.entity.ts';
import { RehearsalRequests } from './rehearsal-requests.ts';
import { RehearsalRun } from './rehearsal-run.entity.ts';
import { RehearsalsService } from './rehearsals.service.ts';
import { ScriptVault } from './script-vault.ts';

/** Tables of this feature, for the app's data source. */
export const rehearsalsEntities = [Rehearsal, RehearsalRun];

/** Needs `EnvelopeCipher`, `SagaStore` and `SagaQueue`, which the app provides globally. */
@Module({
  providers: [
    RehearsalsService,
    {
      provide: ScriptVault,
      inject: [EnvelopeCipher],
      useFactory: (cipher: EnvelopeCipher) => new ScriptVault(cipher),
    },
  ],
  exports: [RehearsalsService, ScriptVault],
})
export class RehearsalsModule {}

/** Asking for rehearsals, which orders clones. */
@Module({
  imports: [OrdersModule, RehearsalsModule],
  providers: [RehearsalRequests],
  exports: [RehearsalRequests],
})
export class RehearsalRequestsModule {}
