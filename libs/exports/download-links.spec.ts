import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { DownloadLinks } from './download-links.ts';

const [present, former] = [randomBytes(32), randomBytes(32)];

it('a link of a former key is good for as long as that is known, and new ones need it not', () => {
  const link = new DownloadLinks([former]).sign(7, 60);
  const links = new DownloadLinks([present, former]);
  links.check(7, link);
  expect(() => links.check(8, link)).toThrow('no export 8');
  expect(() => new DownloadLinks([present]).check(7, link)).toThrow('no export 7');
  new DownloadLinks([present]).check(7, links.sign(7, 60));
});
