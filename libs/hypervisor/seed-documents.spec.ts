import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderSeed } from './seed-documents.ts';

describe('renderSeed', () => {
  it.each(['52:54:00:12:34:56', 'on', 'no', '0123', '1_000', '12:30', '2026-11-22', '0b1', 'null', '~'])(
    'keeps %s a text for a reader of YAML 1.1, which cloud-init is',
    (text) => {
      const document = { 'instance-id': 'probe', value: text };
      const files = renderSeed({
        volumeName: 'seed',
        metaData: document,
        networkConfig: document,
        userData: document,
      });
      for (const { name, content } of files.filter((file) => file.content !== '')) {
        expect(parse(content, { version: '1.1' }), name).toEqual(document);
      }
    },
  );
});
