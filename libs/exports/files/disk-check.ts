import { z } from 'zod';
import { exportFileError } from './export-file.errors.ts';
import { qemuImg } from './qemu-img.ts';

const imageInfo = z.object({
  format: z.literal('qcow2'),
  'virtual-size': z.int().positive(),
  'backing-filename': z.string().optional(),
  encrypted: z.boolean().optional(),
  'dirty-flag': z.boolean(),
  'format-specific': z.object({
    data: z.object({ 'data-file': z.string().optional(), corrupt: z.boolean().optional() }),
  }),
});

/**
 * The size of the disk inside a qcow2 file that stands on no other file. The format is given and never probed.
 * @throws DomainError `export_disk_unfit`
 */
export async function selfContainedDisk(path: string): Promise<{ readonly virtualSizeBytes: number }> {
  const printed = await qemuImg(['info', '-f', 'qcow2', '--output', 'json', path]).catch((cause: unknown) => {
    throw unfit('cannot be read as qcow2', cause);
  });
  const parsed = imageInfo.safeParse(JSON.parse(printed));
  if (!parsed.success) throw unfit('has a header that says something unexpected', parsed.error);
  const info = parsed.data;
  const { data } = info['format-specific'];
  if (info['backing-filename'] !== undefined) throw unfit('stands on another file');
  if (data['data-file'] !== undefined) throw unfit('keeps its data in another file');
  if (info.encrypted) throw unfit('is encrypted');
  if (data.corrupt || info['dirty-flag']) throw unfit('was not closed properly');
  return { virtualSizeBytes: info['virtual-size'] };
}

function unfit(why: string, cause?: unknown): Error {
  return exportFileError('export_disk_unfit', `The disk ${why}: flatten it again.`, { cause });
}
