import type { DynamicModule } from '@nestjs/common';
import { DISK_TOOLS, sandboxedTools } from './disk-tools.ts';
import { ImageImports } from './image-imports.service.ts';
import { IMPORT_SETTINGS, type ImportVariables, importSettings } from './import-settings.ts';
import { ImportStore } from './import-store.ts';
import { UploadsService } from './uploads.service.ts';

class ImportsModule {}

/** Needs `EnvelopeCipher`, `SagaStore` and `SagaQueue`, which the app provides globally. */
export function importsModule(environment: ImportVariables): DynamicModule {
  return {
    module: ImportsModule,
    providers: [
      ImageImports,
      UploadsService,
      { provide: ImportStore, useValue: new ImportStore(environment.SERVERY_IMPORTS_DIR) },
      { provide: IMPORT_SETTINGS, useValue: importSettings(environment) },
      { provide: DISK_TOOLS, useValue: sandboxedTools },
    ],
    exports: [ImageImports, UploadsService, ImportStore, IMPORT_SETTINGS],
  };
}
