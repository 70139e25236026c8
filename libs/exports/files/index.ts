export type { ExportFileErrorCode } from './export-file.errors.ts';
export { type ExportOrder, makeExport, readExport, sweepHalfExports } from './make-export.ts';
export {
  EXPORT_FORMATS,
  type ExportFormat,
  type ExportManifest,
  type ExportSubject,
  exportManifest,
  exportSubject,
  parseExportManifest,
} from './manifest.ts';
