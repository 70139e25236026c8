import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ImageContents, ImageContentsService, ImagesService } from '#libs/images';
import { newTenant, stockMarketplace, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const api = testApi();
let owner: Tenant;
let stranger: Tenant;

const ask = (path: string, of = owner) => api.current.request('GET', path, { token: of.token });

beforeAll(async () => {
  await stockMarketplace(api.current);
  owner = await newTenant(api.current, 'owner@example.com');
  stranger = await newTenant(api.current, 'stranger@example.com');
});

function contents(versions: Readonly<Record<string, string>>): ImageContents {
  const packages = Object.entries(versions).map(([name, version]) => ({
    name,
    version,
    architecture: name === 'tzdata' ? 'all' : 'amd64',
    source: name === 'libc6' ? 'glibc' : name,
    sha256: 'd'.repeat(64),
  }));
  return { packages, sbom: `${JSON.stringify({ bomFormat: 'CycloneDX', components: packages })}\n` };
}

let builds = 0;

/** A build of an appliance, published with its papers where `papers` are given. */
async function publish(papers: ImageContents | undefined, name = 'inside'): Promise<number> {
  const { dataSource } = api.current;
  const images = api.current.get<ImagesService>(ImagesService);
  const web = await images.resolve('web', owner.projectId);
  const image = await images.register(dataSource.manager, {
    appliance: { ...web.appliance, name },
    sha256: (++builds).toString(16).padStart(16, '0').repeat(4),
    fileSizeBytes: 1,
    virtualSizeBytes: 4 * 1024 ** 3,
    packageCount: papers?.packages.length ?? 0,
  });
  if (papers) {
    await api.current
      .get<ImageContentsService>(ImageContentsService)
      .keep(dataSource.manager, image.id, papers);
  }
  return image.id;
}

/** A snapshot, or what was imported, of the owner's project. */
async function ownImage(of: 'server' | 'import'): Promise<number> {
  const [row] = await api.current.dataSource.query<{ id: number }[]>(
    `INSERT INTO images (id, name, type, volume_name, file_size_bytes, virtual_size_bytes, appliance, package_count,
                         project_id, server_id, import_report)
     SELECT $1::bigint, 'snapshot-' || $1::bigint, 'snapshot', 'x', 1, 1, i.appliance, 1, $2, $3, $4
     FROM images i WHERE i.name = 'web' RETURNING id`,
    [9000 + ++builds, owner.projectId, ...(of === 'server' ? [await newServer(), null] : [null, '{}'])],
  );
  return row?.id ?? 0;
}

async function newServer(): Promise<number> {
  const body = { name: `server-${++builds}`, server_type: 's1', image: 'web' };
  return (await api.current.request('POST', '/v1/servers', { token: owner.token, body })).json().server.id;
}

async function names(query: string, id: number): Promise<string[]> {
  const answer = await ask(`/v1/images/${id}/packages?${query}`);
  return answer.json().packages.map((one: { name: string }) => one.name);
}

describe("an image's packages", () => {
  const versions = { nginx: '1.22.1-9', libc6: '2.36-9', 'nginx-common': '1.22.1-9', tzdata: '1:2025~b-0' };

  it('are listed by name, whole, for everybody where it is the catalog’s', async () => {
    const id = await publish(contents(versions));
    for (const tenant of [owner, stranger]) {
      const answer = await ask(`/v1/images/${id}/packages`, tenant);
      expect(answer.statusCode).toBe(200);
      expect(answer.json().meta.pagination.total_entries).toBe(4);
      expect(answer.json().packages.at(0)).toEqual({
        name: 'libc6',
        version: '2.36-9',
        architecture: 'amd64',
        source: 'glibc',
        sha256: 'd'.repeat(64),
      });
    }
  });

  it('are paged, sorted, filtered and searched', async () => {
    const id = await publish(contents(versions));
    expect(await names('sort=name:desc', id)).toEqual(['tzdata', 'nginx-common', 'nginx', 'libc6']);
    expect(await names('sort=source&per_page=2&page=2', id)).toEqual(['nginx-common', 'tzdata']);
    expect(await names('name=nginx', id)).toEqual(['nginx']);
    expect(await names('search=NGINX', id)).toEqual(['nginx', 'nginx-common']);
    expect(await names('search=glibc', id)).toEqual(['libc6']);
    expect(await names(`search=${encodeURIComponent('%')}`, id)).toEqual([]);
    for (const query of ['sort=version', 'unknown=1', 'page=0']) {
      const answer = await ask(`/v1/images/${id}/packages?${query}`);
      expect([query, answer.statusCode, answer.json().error.code]).toEqual([query, 422, 'invalid_input']);
    }
  });

  it('are replaced when the same image is published again', async () => {
    const id = await publish(contents(versions));
    const service = api.current.get<ImageContentsService>(ImageContentsService);
    await service.keep(api.current.dataSource.manager, id, contents({ nginx: '2' }));
    expect(await names('', id)).toEqual(['nginx']);
  });

  it.each([
    ['a snapshot', () => ownImage('server'), /of a server's disk.*made of web/],
    ['an imported image', () => ownImage('import'), /was imported/],
    ['an image that was published without papers', () => publish(undefined), /published again/],
  ])('of %s are said to be unknown, and not shown as those of another', async (_, make, says) => {
    const id = await make();
    const known = await publish(contents(versions));
    const paths = [
      `/v1/images/${id}/packages`,
      `/v1/images/${id}/sbom`,
      `/v1/images/${id}/package_changes?since=${known}`,
      `/v1/images/${known}/package_changes?since=${id}`,
    ];
    for (const path of paths) {
      const answer = await ask(path);
      expect([path, answer.statusCode]).toEqual([path, 404]);
      expect(answer.json().error).toMatchObject({
        code: 'not_found',
        message: expect.stringMatching(says),
        details: { reason: 'image_packages_unknown' },
      });
    }
  });

  it("of a project's image are nobody else's to ask for", async () => {
    const id = await ownImage('server');
    const known = await publish(contents(versions));
    const answers = await Promise.all(
      [
        `${id}/packages`,
        `${id}/sbom`,
        `${id}/package_changes?since=${known}`,
        `${known}/package_changes?since=${id}`,
      ].map((path) => ask(`/v1/images/${path}`, stranger)),
    );
    expect(answers.map((answer) => [answer.statusCode, answer.json().error.details.reason])).toEqual(
      answers.map(() => [404, 'image_not_found']),
    );
  });
});

describe("an image's bill of materials", () => {
  it('is the document that was cooked, to the byte', async () => {
    const papers = contents({ 'libstdc++6': '12.2.0-14+deb12u1' });
    const answer = await ask(`/v1/images/${await publish(papers)}/sbom`);
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toBe(papers.sbom);
    expect(answer.headers['content-type']).toMatch(/^application\/vnd\.cyclonedx\+json; version="?1\.6"?;/);
  });
});

describe('package changes', () => {
  it('are what was added, removed and changed since the other image', async () => {
    const before = await publish(contents({ nginx: '1', gone: '1', same: '3' }));
    const after = await publish(contents({ nginx: '2', fresh: '1', same: '3' }));
    const answer = await ask(`/v1/images/${after}/package_changes?since=${before}`);
    expect(answer.json()).toEqual({
      package_changes: [
        { name: 'fresh', before: null, after: '1' },
        { name: 'gone', before: '1', after: null },
        { name: 'nginx', before: '1', after: '2' },
      ],
    });
  });

  it('lead from any image to any other', async () => {
    const versions = fc.dictionary(
      fc.stringMatching(/^[a-z0-9][a-z0-9+.-]{1,8}$/),
      fc.constantFrom('1', '1:2~b-0'),
    );
    await fc.assert(
      fc.asyncProperty(versions, versions, async (former, latter) => {
        const before = await publish(contents(former));
        const after = await publish(contents(latter));
        const answer = await ask(`/v1/images/${after}/package_changes?since=${before}`);
        const result = new Map(Object.entries(former));
        for (const change of answer.json().package_changes) {
          expect(change.before).toBe(result.get(change.name) ?? null);
          if (change.after === null) result.delete(change.name);
          else result.set(change.name, change.after);
        }
        expect(result).toEqual(new Map(Object.entries(latter)));
      }),
      { numRuns: 20 },
    );
  });

  it('ask for the image that they are compared with', async () => {
    const id = await publish(contents({ nginx: '1' }));
    for (const query of ['', '?since=x', '?since=0']) {
      const answer = await ask(`/v1/images/${id}/package_changes${query}`);
      expect([answer.statusCode, answer.json().error.details.fields[0].name]).toEqual([422, 'since']);
    }
    expect((await ask(`/v1/images/${id}/package_changes?since=12345`)).statusCode).toBe(404);
  });
});
