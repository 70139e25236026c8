import { Module } from '@nestjs/common';
import { EnvelopeCipher } from '#libs/secrets';
import { ActionsService } from './actions.service.ts';
import { SecretsStore } from './secrets.store.ts';
import { ServerCommands } from './server-commands.ts';
import { ServersService } from './servers.service.ts';

/** Needs `EnvelopeCipher`, `SagaStore` and `SagaQueue`, which the app provides globally. */
@Module({
  providers: [
    ActionsService,
    ServerCommands,
    ServersService,
    {
      provide: SecretsStore,
      inject: [EnvelopeCipher],
      useFactory: (cipher: EnvelopeCipher) => new SecretsStore(cipher),
    },
  ],
  exports: [ActionsService, ServerCommands, ServersService, SecretsStore],
})
export class ServersModule {}
