export type { Appliance, AppliancePort, HealthCheck, LicenceForbids } from './appliance.ts';
export { Image } from './image.entity.ts';
export { ImagesModule, imagesEntities } from './images.module.ts';
export { ImagesService, type NewImage } from './images.service.ts';
