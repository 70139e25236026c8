export { assertServersSound, assertSound, ledgerOf } from './assert-sound.ts';
export { askForCook, changeRecipe, writeRecipe } from './cooking.ts';
export { importUpload } from './importing.ts';
export { createIsoWorld } from './iso-world.ts';
export {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
} from './server-world.ts';
export { createSharingWorld, placeOn } from './sharing-world.ts';
export { finish, order, orderClone, placedHost, standingServer } from './standing-server.ts';
export {
  askForVolume,
  assertKept,
  createVolumeWorld,
  removeVolumes,
  standingVolume,
  volumeOf,
  writtenVolume,
} from './standing-volume.ts';
export {
  fallInArrears,
  leaveArrears,
  lift,
  settle,
  suspend,
  suspensionsOf,
  volumeSuspensionsOf,
} from './suspending.ts';
