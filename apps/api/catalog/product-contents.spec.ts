import { beforeAll, describe, expect, it } from 'vitest';
import { ImageContentsService, ImagesService, keepScreenshot, type NewImage } from '#libs/images';
import { stockMarketplace } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const api = testApi();
const ask = (path: string) => api.current.request('GET', `/v1/catalog${path}`);
const png = Buffer.from('89504e470d0a1a0a', 'hex');

beforeAll(() => stockMarketplace(api.current));

/** A build of the product, current from now on. @returns its image's id */
async function publish(
  letter: string,
  versions: Readonly<Record<string, string>> | null,
  more: Partial<NewImage> = {},
): Promise<number> {
  const { manager } = api.current.dataSource;
  const images = api.current.get<ImagesService>(ImagesService);
  const [web] = (await images.list()).items;
  if (!web) throw new Error('the catalog is empty');
  const { id } = await images.register(manager, {
    appliance: web.appliance,
    sha256: letter.repeat(64),
    fileSizeBytes: 1,
    virtualSizeBytes: 1,
    packageCount: 2,
    ...more,
  });
  if (versions === null) return id;
  const packages = Object.entries(versions).map(([name, version]) => ({
    name,
    version,
    architecture: 'amd64',
    source: name,
    sha256: 'd'.repeat(64),
  }));
  await api.current
    .get<ImageContentsService>(ImageContentsService)
    .keep(manager, id, { packages, sbom: '{"bomFormat": "CycloneDX"}' });
  return id;
}

const product = async () => (await ask('/web')).json().product;

describe('a product, to everybody', () => {
  it('has packages, which are searched', async () => {
    await publish('1', { nginx: '1.22.1-9', libc6: '2.36-9' });
    const answer = await ask('/web/packages?search=ngi');
    expect([answer.statusCode, answer.json().packages]).toEqual([
      200,
      [expect.objectContaining({ name: 'nginx', version: '1.22.1-9' })],
    ]);
    expect((await ask('/web/sbom')).body).toBe('{"bomFormat": "CycloneDX"}');
  });

  it('differs from its former build', async () => {
    await publish('2', null);
    await publish('3', { nginx: '1', gone: '1' });
    expect((await ask('/web/package_changes')).json()).toEqual({ since: null, package_changes: [] });
    const former = (await product()).image_id;
    await publish('4', { nginx: '2' });
    expect((await ask('/web/package_changes')).json()).toEqual({
      since: { image_id: former, cooked_at: expect.any(String) },
      package_changes: [
        { name: 'gone', before: '1', after: null },
        { name: 'nginx', before: '1', after: '2' },
      ],
    });
  });

  it('says when it was cooked and verified, and nothing of verification where that is not known', async () => {
    const cookedAt = new Date('2026-11-01T08:00:00Z');
    const verifiedAt = new Date('2026-11-02T09:00:00Z');
    await publish('5', null);
    expect(await product()).toMatchObject({ verified_at: null });
    await publish('6', null, { cookedAt, verifiedAt });
    const said = { cooked_at: cookedAt.toISOString(), verified_at: verifiedAt.toISOString() };
    expect(await product()).toMatchObject(said);
    await publish('6', null, { cookedAt, verifiedAt: null });
    expect(await product()).toMatchObject(said);
  });

  it('is shown by its picture, which is asked for once', async () => {
    const id = await publish('7', null);
    const none = await ask('/web/screenshot');
    expect([none.statusCode, (await product()).screenshot]).toEqual([404, null]);
    await keepScreenshot(api.current.dataSource.manager, id, png);
    const answer = await ask('/web/screenshot');
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'image/png']);
    expect(answer.rawPayload).toEqual(png);
    const again = await api.current.request('GET', '/v1/catalog/web/screenshot', {
      headers: { 'if-none-match': String(answer.headers.etag) },
    });
    expect([again.statusCode, again.body]).toEqual([304, '']);
  });

  it.each(['', '/packages', '/sbom', '/package_changes', '/screenshot'])(
    'is not found by another name at %j',
    async (path) => {
      const answer = await ask(`/no-such-thing${path}`);
      expect([answer.statusCode, answer.json().error.details.reason]).toEqual([404, 'product_not_found']);
    },
  );

  it('whose packages were never written down says so', async () => {
    await publish('8', null);
    const answer = await ask('/web/packages');
    expect([answer.statusCode, answer.json().error.details.reason]).toEqual([404, 'image_packages_unknown']);
  });
});
