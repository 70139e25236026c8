export { addHost, type HostToAdd } from './add-host.ts';
export { bringImage } from './bring-image.ts';
export { type ImageToPublish, type OnUpload, type Published, publishImage } from './publish-image.ts';
export { type IsoToPublish, type PublishedIso, publishIso, withdrawIso } from './publish-iso.ts';
