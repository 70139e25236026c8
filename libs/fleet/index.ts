export { addHost, type HostToAdd } from './add-host.ts';
export { bringImage } from './bring-image.ts';
export type { OnUpload } from './bring-to-hosts.ts';
export { LostHosts } from './clear-lost-hosts.ts';
export { findStorage } from './find-storage.ts';
export { assertGone, type Loss, loseHost, lossesOn } from './lose-host.ts';
export { type ImageToPublish, type Published, publishImage } from './publish-image.ts';
export { type IsoToPublish, type PublishedIso, publishIso, withdrawIso } from './publish-iso.ts';
