import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { SeedSpec } from '../port/seeds.ts';
import { renderSeed } from '../seed-documents.ts';
import { seedIso } from './seed-iso.ts';

const folder = mkdtempSync(join(tmpdir(), 'servery-seed-'));
const path = join(folder, 'seed.iso');
afterAll(() => rmSync(folder, { recursive: true }));

const seed: SeedSpec = {
  volumeName: 'seed.iso',
  userData: {
    hostname: 'büro',
    users: [{ name: 'root', ssh_authorized_keys: ['ssh-ed25519 AAAA me: "x"'] }],
  },
  metaData: { 'instance-id': 'i-1', 'local-hostname': 'büro' },
  networkConfig: { version: 2, ethernets: { primary: { match: { macaddress: '52:54:00:00:00:01' } } } },
};

/** isoinfo (genisoimage) is the second opinion: an ISO reader that others wrote. */
function isoinfo(...args: string[]): string {
  return execFileSync('isoinfo', ['-i', path, ...args], { encoding: 'utf8' });
}

it('is an ISO 9660 image labelled CIDATA, as cloud-init looks for it', () => {
  writeFileSync(path, seedIso(renderSeed(seed)));
  expect(execFileSync('blkid', ['-p', '-o', 'export', path], { encoding: 'utf8' })).toContain(
    'LABEL=CIDATA\nTYPE=iso9660',
  );
  expect(isoinfo('-d')).toMatch(/Rock Ridge signatures version 1 found/);
});

it('holds the four files under their real names, byte for byte', () => {
  const files = renderSeed(seed);
  writeFileSync(path, seedIso(files));
  expect(isoinfo('-R', '-f').trim().split('\n')).toEqual(files.map((file) => `/${file.name}`));
  for (const file of files.filter(({ content }) => content !== '')) {
    expect(isoinfo('-R', '-x', `/${file.name}`)).toBe(file.content);
  }
});

it('carries contents of any length', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ minLength: 1, maxLength: 6000 }), { minLength: 4, maxLength: 4 }),
      (contents) => {
        const files = renderSeed(seed).map((file, index) => ({ ...file, content: contents[index] ?? '' }));
        writeFileSync(path, seedIso(files));
        for (const file of files)
          expect(isoinfo('-R', '-x', `/${file.name}`)).toBe(Buffer.from(file.content).toString());
      },
    ),
    { numRuns: 15 },
  );
});

it('writes whatever is in a document as YAML that reads back the same', () => {
  const json = fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue());
  fc.assert(
    fc.property(json, (document) => {
      const userData = renderSeed({ ...seed, userData: document }).find(
        (file) => file.name === 'user-data',
      )?.content;
      expect(userData?.startsWith('#cloud-config\n')).toBe(true);
      expect(JSON.stringify(parse(userData ?? ''))).toBe(JSON.stringify(parse(JSON.stringify(document))));
    }),
  );
});

it("leaves a customer's own user data as it is", () => {
  const userData = '#!/bin/sh\necho hello\n';
  expect(renderSeed({ ...seed, userData })).toContainEqual({ name: 'user-data', content: userData });
});
