import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DataSource } from 'typeorm';
import { advanceDunning } from '#libs/dunning';
import { ServerSuspensions } from '#libs/servers';
import { VolumeSuspensions } from '#libs/volumes';
import { type CollectingDeps, lookAtUnpaid, retryOpenInvoices } from '#libs/workflows';
import { COLLECTING } from './collecting.module.ts';

/** Leads accounts that do not pay down the ladder, and back up when they pay. */
@Injectable()
export class Dunning {
  constructor(
    private readonly dataSource: DataSource,
    private readonly suspensions: ServerSuspensions,
    private readonly volumes: VolumeSuspensions,
    @Inject(COLLECTING) private readonly collecting: CollectingDeps,
    private readonly log: PinoLogger,
  ) {}

  async advance(): Promise<void> {
    const { clock, sagas } = this.collecting;
    const { steps, restored, retried, unsure, servers, volumes } = await advanceDunning(
      {
        dataSource: this.dataSource,
        suspensions: this.suspensions,
        volumes: this.volumes,
        collectAgain: (manager, accountId) => retryOpenInvoices(manager, sagas, accountId),
        lookAgain: (accountId) => lookAtUnpaid(this.collecting, accountId),
      },
      clock.now(),
    );
    for (const { accountId, step } of steps) this.log.info({ accountId, step }, 'an account does not pay');
    for (const accountId of restored) this.log.info({ accountId }, 'an account has paid and is restored');
    if (unsure.length > 0) {
      this.log.warn(
        { unsure },
        'nothing is taken from accounts of which the provider does not say whether they paid',
      );
    }
    if (retried.length + servers + volumes > 0) this.log.info({ retried, servers, volumes }, 'dunning');
  }
}
