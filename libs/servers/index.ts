export { Action, type ActionStatus } from './action.entity.ts';
export { ActionProgress } from './action-progress.ts';
export { ActionsService, newAction } from './actions.service.ts';
export {
  type CredentialsState,
  newPassword,
  type PasswordDelivery,
  type SecretKind,
  SecretsStore,
} from './secrets.store.ts';
export {
  type DesiredState,
  diskVolumeName,
  domainName,
  type ObservedState,
  Server,
  type ServerAccess,
  seedVolumeName,
} from './server.entity.ts';
export { ServerCommands } from './server-commands.ts';
export * from './server-requests.ts';
export { ServersError, type ServersErrorCode } from './servers.errors.ts';
export { ServersModule, serversEntities } from './servers.module.ts';
export { lockServer, nameTaken, type ServerFacts, ServersService } from './servers.service.ts';
