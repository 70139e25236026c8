import type { FactoryProvider } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '#libs/config';
import { ExportExpiry } from '#libs/exports';
import { LostHosts } from '#libs/fleet';
import { UploadsService } from '#libs/imports';
import { SAMPLE_SECONDS } from '#libs/metrics';
import { ProviderEvents } from '#libs/payments';
import { RehearsalsService } from '#libs/rehearsals';
import {
  BackupsService,
  OverdueBackups,
  RescueCommands,
  type RestoreTestBudget,
  RestoreTests,
  SnapshotsService,
} from '#libs/servers';
import { Books } from './books.ts';
import { Leavings } from './cooking/leavings.ts';
import { Dunning } from './dunning.ts';
import { ImageSpreading } from './image-spreading.ts';
import { IsoSpreading } from './iso-spreading.ts';
import { Mails } from './mails.ts';
import { Pruning } from './pruning.ts';
import { Reconciler } from './reconciler/reconciler.ts';
import { Sampling } from './sampling.ts';

/** What the worker does again and again. */
export interface Task {
  readonly name: string;
  readonly everySeconds: number;
  /** @param stop aborts when the worker is told to end */
  run(stop: AbortSignal): Promise<unknown>;
}

export const TIMETABLE = Symbol('TIMETABLE');

const MINUTE_SECONDS = 60;
const TEN_MINUTES_SECONDS = 600;
const HOUR_SECONDS = 3600;
const DAY_SECONDS = 86_400;

/** Everything that happens by the clock, and how often. */
export const timetable: FactoryProvider<readonly Task[]> = {
  provide: TIMETABLE,
  inject: [
    ENVIRONMENT,
    ProviderEvents,
    Reconciler,
    LostHosts,
    Books,
    Dunning,
    Mails,
    Pruning,
    ExportExpiry,
    UploadsService,
    Leavings,
    BackupsService,
    OverdueBackups,
    RescueCommands,
    RestoreTests,
    SnapshotsService,
    RehearsalsService,
    ImageSpreading,
    IsoSpreading,
    Sampling,
  ],
  useFactory: (
    environment: Environment,
    events: ProviderEvents,
    reconciler: Reconciler,
    lostHosts: LostHosts,
    books: Books,
    dunning: Dunning,
    mails: Mails,
    pruning: Pruning,
    exports: ExportExpiry,
    uploads: UploadsService,
    leavings: Leavings,
    backups: BackupsService,
    overdueBackups: OverdueBackups,
    rescues: RescueCommands,
    restoreTests: RestoreTests,
    snapshots: SnapshotsService,
    rehearsals: RehearsalsService,
    spreading: ImageSpreading,
    isoSpreading: IsoSpreading,
    sampling: Sampling,
  ) => [
    task('reconciler', environment.SERVERY_RECONCILE_SECONDS, (stop) => reconciler.run(stop)),
    task('lost hosts', 10, () => lostHosts.clear()),
    task('provider events', 1, () => events.processDue()),
    task('payments repair', MINUTE_SECONDS, () => events.repair()),
    task('payments repair of a month', DAY_SECONDS, () => events.repair({ isFull: true })),
    task('invoices', TEN_MINUTES_SECONDS, () => books.closeDue()),
    task('open invoices', TEN_MINUTES_SECONDS, () => books.collectDue()),
    task('recharges', MINUTE_SECONDS, () => books.rechargeDue()),
    task('balance at the provider', TEN_MINUTES_SECONDS, () => books.sweepBalance()),
    task('spending alerts', TEN_MINUTES_SECONDS, () => books.alertSpending()),
    task('check of the books', DAY_SECONDS, () => books.check()),
    task('dunning', 10, () => dunning.advance()),
    task('mails', 2, (stop) => mails.send(stop)),
    task('mails given up', TEN_MINUTES_SECONDS, () => mails.tellGivenUp()),
    task('expired secrets', TEN_MINUTES_SECONDS, () => pruning.expireSecrets()),
    task('expired exports', MINUTE_SECONDS, () => exports.run()),
    task('expired uploads', TEN_MINUTES_SECONDS, () => uploads.removeExpired()),
    task('leavings of cooks', TEN_MINUTES_SECONDS, () => leavings.remove()),
    task('backups', MINUTE_SECONDS, () => backups.startDue().finally(() => overdueBackups.tell())),
    task('expired rescue systems', MINUTE_SECONDS, () => rescues.expire()),
    task('images for all hosts', MINUTE_SECONDS, (stop) => spreading.run(stop)),
    task('ISO images for all hosts', TEN_MINUTES_SECONDS, (stop) => isoSpreading.run(stop)),
    task('restore tests', MINUTE_SECONDS, () => restoreTests.startDue(restoreBudget(environment))),
    task('expired images', TEN_MINUTES_SECONDS, () => snapshots.removeExpired()),
    task('expired clones', MINUTE_SECONDS, () => rehearsals.removeExpired()),
    task('samples', SAMPLE_SECONDS, (stop) => sampling.run(stop)),
    task('old samples', HOUR_SECONDS, () => sampling.thin()),
    task('pruning', DAY_SECONDS, () => pruning.run()),
  ],
};

function restoreBudget(environment: Environment): RestoreTestBudget {
  const [fromHour = 0, untilHour = 0] = environment.SERVERY_RESTORE_TEST_HOURS.split('-').map(Number);
  return { aDay: environment.SERVERY_RESTORE_TESTS_A_DAY, fromHour, untilHour };
}

function task(name: string, everySeconds: number, run: Task['run']): Task {
  return { name, everySeconds, run };
}
