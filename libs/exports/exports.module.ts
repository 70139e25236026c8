import type { DynamicModule } from '@nestjs/common';
import type { Environment } from '#libs/config';
import { DownloadLinks } from './download-links.ts';
import { ExportStore } from './export-store.ts';

class ExportsModule {}

type ExportSettings = Pick<
  Environment,
  'SERVERY_SECRET_KEY' | 'SERVERY_EXPORTS_DIR' | 'SERVERY_EXPORT_KEEP_DAYS'
>;

/** Finished exports lie in a folder that API and worker share. */
export function exportsModule(environment: ExportSettings): DynamicModule {
  const { SERVERY_SECRET_KEY, SERVERY_EXPORTS_DIR, SERVERY_EXPORT_KEEP_DAYS } = environment;
  return {
    module: ExportsModule,
    providers: [
      { provide: DownloadLinks, useValue: new DownloadLinks(SERVERY_SECRET_KEY) },
      { provide: ExportStore, useValue: new ExportStore(SERVERY_EXPORTS_DIR, SERVERY_EXPORT_KEEP_DAYS) },
    ],
    exports: [DownloadLinks, ExportStore],
  };
}
