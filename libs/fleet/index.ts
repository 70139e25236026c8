export { addHost, type HostToAdd } from './add-host.ts';
export { type ImageToPublish, type OnUpload, type Published, publishImage } from './publish-image.ts';
