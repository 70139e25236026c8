export { Iso } from './iso.entity.ts';
export { IsoCommands } from './iso-commands.ts';
export { type MissingIso, missingIsos } from './iso-hosts.ts';
export * from './iso-requests.ts';
export { IsosError, type IsosErrorCode } from './isos.errors.ts';
export { IsosModule, isosEntities } from './isos.module.ts';
export { IsosService, type NewIso } from './isos.service.ts';
