import { describe, expect, it } from 'vitest';
import { isMark, partMark, wholeImages, wholeMark } from './image-marks.ts';

const image = {
  volumeName: 'debian-12.qcow2',
  sha256: 'ab'.repeat(32),
  virtualSizeBytes: 2 * 1024 ** 3,
  format: 'qcow2' as const,
};
const entry = (name: string) => ({ name, path: `/pool/${name}` });

describe('an image in a pool', () => {
  it('is whole when its mark says so', () => {
    expect(wholeImages([entry(image.volumeName), entry(wholeMark(image))])).toEqual([
      { ...image, path: '/pool/debian-12.qcow2', mark: wholeMark(image) },
    ]);
  });

  it.each([
    ['without a mark', [image.volumeName]],
    ['while its upload is marked as under way', [image.volumeName, partMark(image.volumeName)]],
    ['with both marks', [image.volumeName, partMark(image.volumeName), wholeMark(image)]],
    ['when only the mark is left', [wholeMark(image)]],
  ])('is not whole %s', (_case, names) => {
    expect(wholeImages(names.map(entry))).toEqual([]);
  });

  it('is told from its marks', () => {
    expect([wholeMark(image), partMark(image.volumeName), image.volumeName].map(isMark)).toEqual([
      true,
      true,
      false,
    ]);
  });
});
