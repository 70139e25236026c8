import type { DynamicModule } from '@nestjs/common';
import { type Environment, secretKeys } from '#libs/config';
import { ImagesModule } from '#libs/images';
import { DownloadLinks } from './download-links.ts';
import { Export } from './export.entity.ts';
import { ExportExpiry } from './export-expiry.ts';
import { ExportRequests } from './export-requests.ts';
import { ExportStore } from './export-store.ts';
import { ExportsService } from './exports.service.ts';

class ExportsModule {}

/** Tables of this feature, for the app's data source. */
export const exportsEntities = [Export];

/**
 * Finished exports lie in a folder that the worker writes and the API reads. Needs `SagaStore` and `SagaQueue`, which the
 * app provides globally.
 */
export function exportsModule(environment: Environment): DynamicModule {
  return {
    module: ExportsModule,
    imports: [ImagesModule],
    providers: [
      { provide: DownloadLinks, useValue: new DownloadLinks(secretKeys(environment)) },
      { provide: ExportStore, useValue: new ExportStore(environment.SERVERY_EXPORTS_DIR) },
      ExportExpiry,
      ExportRequests,
      ExportsService,
    ],
    exports: [DownloadLinks, ExportExpiry, ExportRequests, ExportsService, ExportStore],
  };
}
