import type { DynamicModule } from '@nestjs/common';
import { DownloadLinks } from './download-links.ts';
import { ExportStore } from './export-store.ts';

class ExportsModule {}

/** `secretKey`: 32 bytes in base64. `folder`: where finished exports lie; API and worker share it. */
export function exportsModule(secretKey: string, folder: string): DynamicModule {
  return {
    module: ExportsModule,
    providers: [
      { provide: DownloadLinks, useValue: new DownloadLinks(secretKey) },
      { provide: ExportStore, useValue: new ExportStore(folder) },
    ],
    exports: [DownloadLinks, ExportStore],
  };
}
