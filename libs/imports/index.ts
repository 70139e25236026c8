export { chooseDevices, chooseVerification } from './choose-devices.ts';
export { type DiskTools, sandboxedTools } from './disk-tools.ts';
export {
  ImageImports,
  type StartedImport,
  sealedUrls,
  urlContext,
  type WantedImport,
} from './image-imports.service.ts';
export { importImageRequest } from './import-request.ts';
export { IMPORT_SETTINGS, type ImportSettings } from './import-settings.ts';
export { ImportStore } from './import-store.ts';
export { ImportsError, type ImportsErrorCode } from './imports.errors.ts';
export { importsModule } from './imports.module.ts';
export { tooLarge, type Upload, UploadsService } from './uploads.service.ts';
