import { Module } from '@nestjs/common';
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
    RehearsalRequests,
    RehearsalsService,
    {
      provide: ScriptVault,
      inject: [EnvelopeCipher],
      useFactory: (cipher: EnvelopeCipher) => new ScriptVault(cipher),
    },
  ],
  exports: [RehearsalRequests, RehearsalsService, ScriptVault],
})
export class RehearsalsModule {}
