import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** The folder of everything that is on its way to an image. API and worker share it; nobody else reads it. */
export class ImportStore {
  private readonly root: string;

  constructor(root: string) {
    this.root = resolve(root);
  }

  /** Where uploads lie, each named by its id. */
  get uploadsFolder(): string {
    return join(this.root, 'uploads');
  }

  private get workFolder(): string {
    return join(this.root, 'work');
  }

  private get spreadFolder(): string {
    return join(this.root, 'spread');
  }

  /** Makes the folders, open to us alone. */
  async prepare(): Promise<void> {
    for (const folder of [this.root, this.uploadsFolder, this.workFolder, this.spreadFolder]) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
    }
  }

  uploadPath(uploadId: number): string {
    return join(this.uploadsFolder, String(uploadId));
  }

  /** What an import fetched, whole. */
  fetchedPath(imageId: number): string {
    return join(this.workFolder, `${imageId}.source`);
  }

  /** While it is fetched: a name of its own for each try, since a former one may not know that it is over. */
  partPath(imageId: number, sagaTry: string): string {
    return join(this.workFolder, `${imageId}.${sagaTry}.part`);
  }

  /** The disk that goes to hosts, whole. */
  convertedPath(imageId: number): string {
    return join(this.workFolder, `${imageId}.qcow2`);
  }

  /** An image, of either kind, on its way from one host to another. */
  spreadPath(id: number): string {
    return join(this.spreadFolder, `${id}.img`);
  }

  /** Empties the folder of what is on its way between hosts. */
  async removeSpread(): Promise<void> {
    await rm(this.spreadFolder, { recursive: true, force: true });
    await this.prepare();
  }

  /** Bytes of an upload that are here. */
  async uploadedBytes(uploadId: number): Promise<number> {
    return (await stat(this.uploadPath(uploadId)).catch(() => undefined))?.size ?? 0;
  }

  /** The file and what the resumable protocol keeps beside it. Absent is success. */
  async removeUpload(uploadId: number): Promise<void> {
    await rm(this.uploadPath(uploadId), { force: true });
    await rm(`${this.uploadPath(uploadId)}.json`, { force: true });
  }

  /** All files of an import but its upload. Absent is success. */
  async removeWork(imageId: number): Promise<void> {
    const names = await namesIn(this.workFolder);
    const own = names.filter((name) => name.startsWith(`${imageId}.`));
    await Promise.all(own.map((name) => rm(join(this.workFolder, name), { force: true })));
  }

  /** Ids by which files lie here. */
  async present(): Promise<{ readonly uploads: readonly number[]; readonly imports: readonly number[] }> {
    const [uploads, work] = await Promise.all([namesIn(this.uploadsFolder), namesIn(this.workFolder)]);
    return { uploads: idsOf(uploads), imports: idsOf(work) };
  }
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

function idsOf(names: readonly string[]): number[] {
  const ids = names.map((name) => Number(name.split('.', 1)[0]));
  return [...new Set(ids)].filter(Number.isSafeInteger);
}
