export type { Appliance, AppliancePort, HealthCheck, LicenceForbids } from './appliance.ts';
export { departedImages, noteDeparted } from './departed-images.ts';
export { Image, type RestoreCheck } from './image.entity.ts';
export { ImagesModule, imagesEntities } from './images.module.ts';
export { ImagesService, type NewImage } from './images.service.ts';
export type { GuestFindings, ImportReport } from './import-report.ts';
