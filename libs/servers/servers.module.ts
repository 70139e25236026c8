import { Module } from '@nestjs/common';
import { PlacementModule } from '#libs/placement';
import { EnvelopeCipher } from '#libs/secrets';
import { Action } from './action.entity.ts';
import { ActionsService } from './actions.service.ts';
import { BackupPlan } from './backup-plan.entity.ts';
import { BackupsService } from './backups.service.ts';
import { FrozenDisk } from './frozen-disk.entity.ts';
import { OverdueBackups } from './overdue-backups.ts';
import { Rescue } from './rescue.entity.ts';
import { RescueCommands } from './rescue-commands.ts';
import { RestoreTest } from './restore-test.entity.ts';
import { RestoreTests } from './restore-tests.service.ts';
import { SecretsStore } from './secrets.store.ts';
import { Server } from './server.entity.ts';
import { ServerCommands } from './server-commands.ts';
import { ServerProtection } from './server-protection.ts';
import { ServerSuspensions } from './server-suspensions.ts';
import { ServersService } from './servers.service.ts';
import { SnapshotsService } from './snapshots.service.ts';

/** Tables of this feature, for the app's data source. */
export const serversEntities = [Action, BackupPlan, FrozenDisk, Rescue, RestoreTest, Server];

/** Needs `EnvelopeCipher`, `SagaStore` and `SagaQueue`, which the app provides globally. */
@Module({
  imports: [PlacementModule],
  providers: [
    ActionsService,
    BackupsService,
    OverdueBackups,
    RescueCommands,
    RestoreTests,
    ServerCommands,
    ServerProtection,
    ServerSuspensions,
    ServersService,
    SnapshotsService,
    {
      provide: SecretsStore,
      inject: [EnvelopeCipher],
      useFactory: (cipher: EnvelopeCipher) => new SecretsStore(cipher),
    },
  ],
  exports: [
    ActionsService,
    BackupsService,
    OverdueBackups,
    RescueCommands,
    RestoreTests,
    ServerCommands,
    ServerProtection,
    ServerSuspensions,
    ServersService,
    SnapshotsService,
    SecretsStore,
  ],
})
export class ServersModule {}
