import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { CHUNK_BYTES } from './digesting.ts';
import type { ExportSubject } from './manifest.ts';
import { ovfDescriptor } from './ovf.ts';
import { padding, TAR_END, ustarHeader } from './ustar.ts';

/**
 * The bytes of an OVA: the descriptor first, the disk, and last their SHA-256 in a `.mf` file, so that all of it
 * is written, and the disk read, in one pass. The same disk and subject give the same bytes.
 */
export async function* ovaBytes(
  subject: ExportSubject,
  vmdkPath: string,
  virtualSizeBytes: number,
): AsyncGenerator<Buffer> {
  const mtimeSeconds = Math.floor(Date.parse(subject.frozenAt) / 1000);
  const { size: fileSizeBytes } = await stat(vmdkPath);
  const fileName = basename(vmdkPath);
  const ovfName = `${subject.name}.ovf`;
  const descriptor = Buffer.from(ovfDescriptor(subject, { fileName, fileSizeBytes, virtualSizeBytes }));
  yield* entry(ovfName, descriptor);

  yield ustarHeader({ name: fileName, sizeBytes: fileSizeBytes, mtimeSeconds });
  const diskHash = createHash('sha256');
  const disk: AsyncIterable<Buffer> = createReadStream(vmdkPath, { highWaterMark: CHUNK_BYTES });
  for await (const chunk of disk) {
    diskHash.update(chunk);
    yield chunk;
  }
  yield padding(fileSizeBytes);

  const sums = [
    `SHA256(${ovfName})= ${createHash('sha256').update(descriptor).digest('hex')}`,
    `SHA256(${fileName})= ${diskHash.digest('hex')}`,
  ];
  yield* entry(`${subject.name}.mf`, Buffer.from(`${sums.join('\n')}\n`));
  yield TAR_END;

  function* entry(name: string, content: Buffer): Generator<Buffer> {
    yield ustarHeader({ name, sizeBytes: content.length, mtimeSeconds });
    yield content;
    yield padding(content.length);
  }
}
