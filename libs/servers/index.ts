export { Action, type ActionStatus } from './action.entity.ts';
export { ActionProgress } from './action-progress.ts';
export { type ActionsOf, ActionsService, newAction, recordDone } from './actions.service.ts';
export { BackupPlan, WINDOW_BEGINS, type WindowBegin } from './backup-plan.entity.ts';
export { noteBackedUp, type PlanChange, retryBackup } from './backup-plan.ts';
export { BackupsService } from './backups.service.ts';
export { adoptDisk, generationOf } from './disk-adoption.ts';
export { requestFreeze } from './freezing-requests.ts';
export { FrozenDisk } from './frozen-disk.entity.ts';
export {
  frozenAmong,
  frozenUnder,
  holdDisk,
  keepDisk,
  type Layered,
  noteMemoryRemoved,
  noteMerged,
  recordFreeze,
  recordRollBack,
  retireDisk,
  unneededDisks,
  unneededMemory,
} from './frozen-disks.ts';
export { OverdueBackups } from './overdue-backups.ts';
export { Rescue, rescueOfVolume, rescueSeedName, rescueVolumeName } from './rescue.entity.ts';
export { RescueCommands } from './rescue-commands.ts';
export {
  endAllRescues,
  endWaiting,
  noteBooted,
  noteEnabled,
  noteRescuesRemoved,
  refuseInRescue,
  rescuesAmong,
  runningRescue,
  unremovedRescues,
  waitingRescue,
} from './rescue-state.ts';
export {
  RestoreTest,
  restoreTestName,
  restoreTestOfVolume,
  restoreVolumeName,
} from './restore-test.entity.ts';
export { type RestoreTestBudget, RestoreTests } from './restore-tests.service.ts';
export { callOff, noteTested, type RestoreVerdict, restoreTestsAmong } from './restore-tests.ts';
export {
  type CredentialsState,
  newPassword,
  type PasswordDelivery,
  type SecretKind,
  SecretsStore,
  sealedServerSecrets,
} from './secrets.store.ts';
export {
  type CredentialKind,
  credentialKindOf,
  type DesiredState,
  diskVolumeName,
  domainName,
  memoryVolumeName,
  type ObservedState,
  Server,
  type ServerAccess,
  type ServerNetwork,
  seedVolumeName,
  systemImageId,
} from './server.entity.ts';
export {
  admit as admitToServer,
  ownServer,
  refuseWhileInvestigated,
  refuseWhileLocked,
  refuseWhileSuspended,
} from './server-admission.ts';
export { ServerCommands } from './server-commands.ts';
export { requestDeletion } from './server-deletion.ts';
export { billImage, deleteImages, insertImage, rotateBackups } from './server-images.ts';
export { type ProtectionChange, ServerProtection } from './server-protection.ts';
export * from './server-requests.ts';
export { ServerSuspensions } from './server-suspensions.ts';
export { ServersError, type ServersErrorCode } from './servers.errors.ts';
export { ServersModule, serversEntities } from './servers.module.ts';
export {
  lockServer,
  nameTaken,
  type ServerFacts,
  type ServerSuspension,
  ServersService,
} from './servers.service.ts';
export { type ImageChange, isDeletedByItself, SnapshotsService } from './snapshots.service.ts';
export { startAgain } from './start-again.ts';
export { requestImage, type Started, startOnServer } from './start-on-server.ts';
export {
  beginSuspension,
  endSuspension,
  isRetired,
  noteRetired,
  noteSuspended,
  type ServerStanding,
  standingOf,
  suspensionOf,
} from './suspension-state.ts';
