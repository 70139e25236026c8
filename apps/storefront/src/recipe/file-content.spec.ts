import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileBytesOf, recipeFile } from '#libs/contracts';
import { contentOf, sayRoom, whyTooLarge } from './file-content.ts';

describe('the content of a file', () => {
  it('is text where it is text', () => {
    expect(contentOf(new TextEncoder().encode('größe\n'))).toEqual({ content: 'größe\n' });
    expect(contentOf(new Uint8Array([0xef, 0xbb, 0xbf, 0x61]))).toEqual({ content: '\ufeffa' });
  });

  it('is base64 where it is none', () => {
    expect(contentOf(new Uint8Array([0xff, 0xfe]))).toEqual({ content_base64: '//4=' });
    expect(contentOf(new Uint8Array([0x61, 0]))).toEqual({ content_base64: 'YQA=' });
  });

  it('is what the API takes, and gives the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        const sent = recipeFile.parse({ path: '/opt/file', ...contentOf(bytes) });
        const back =
          sent.content === undefined
            ? Buffer.from(sent.content_base64 ?? '', 'base64')
            : Buffer.from(sent.content);
        expect(back).toEqual(Buffer.from(bytes));
        expect(fileBytesOf(sent)).toBe(bytes.length);
      }),
    );
  });

  it('has a limit, which is named', () => {
    expect(whyTooLarge(128 * 1024, [])).toBeUndefined();
    expect(whyTooLarge(128 * 1024 + 1, [])).toContain('128 KiB: put large files into a Debian package');
  });

  it('shares one with all the others, of which it is said how much is left', () => {
    const others = [contentOf(new Uint8Array(100 * 1024).fill(255)), { content: 'x' }];
    expect(sayRoom(others)).toBe('101 of 160 KiB');
    expect(whyTooLarge(59 * 1024, others)).toBeUndefined();
    expect(whyTooLarge(60 * 1024, others)).toMatch(/^59 KiB are left of the 160 KiB .* first boot script\.$/);
  });
});
