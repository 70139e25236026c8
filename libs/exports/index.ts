export { type DownloadLink, DownloadLinks, exportNotFound } from './download-links.ts';
export { ExportStore, type StoredExport } from './export-store.ts';
export type { ExportsErrorCode } from './exports.errors.ts';
export { exportsModule } from './exports.module.ts';
