export {
  attachedVolume,
  blockVolumeSpec,
  linuxDevice,
  mountPoint,
  Volume,
  type VolumeFile,
  type VolumeFormat,
  volumeFileName,
  volumeOfFile,
} from './volume.entity.ts';
export { volumeGibOf } from './volume-admission.ts';
export {
  type RequestedVolume,
  requestVolumeDeletion,
  VolumeCommands,
  type WantedVolume,
} from './volume-commands.ts';
export * from './volume-requests.ts';
export { billVolume, VolumeSuspensions } from './volume-suspensions.ts';
export { VolumesError, type VolumesErrorCode } from './volumes.errors.ts';
export { VolumeSuspensionsModule, VolumesModule, volumesEntities } from './volumes.module.ts';
export {
  noteAttached,
  noteDetached,
  releaseVolumesOf,
  VolumesService,
  volumesOfServer,
} from './volumes.service.ts';
export { diskAlong, volumesAlong } from './volumes-along.ts';
