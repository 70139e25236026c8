export type {
  Appliance,
  AppliancePort,
  ApplianceSecret,
  HealthCheck,
  LicenceForbids,
} from './appliance.ts';
export { billedNameOf } from './billed-name.ts';
export { Image, type RestoreCheck, type Verification } from './image.entity.ts';
export { type ImageContents, ImageContentsService } from './image-contents.service.ts';
export {
  departedImages,
  hostsWith,
  type ImageRefusal,
  type MissingImage,
  missingImages,
  type NewRefusal,
  noteDeparted,
  noteRefusal,
  refusedBy,
  UNDER_WAY,
} from './image-hosts.ts';
export { ImagePackage } from './image-package.entity.ts';
export { keepScreenshot, screenshotOf } from './image-screenshots.ts';
export { ImagesModule, imagesEntities } from './images.module.ts';
export { ImagesService, type NewImage } from './images.service.ts';
export type { ImportReport } from './import-report.ts';
