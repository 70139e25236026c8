import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { variableDocs } from '#libs/config';
import { requiredDebianPackages } from '#libs/images/cook';
import { root } from './sources.ts';

interface Service {
  build?: { context: string; dockerfile?: string; target?: string };
  environment?: Record<string, unknown>;
  depends_on?: Record<string, { condition: string }>;
  volumes?: string[];
  security_opt?: string[];
  command?: string[];
}
interface Compose {
  services: Record<string, Service>;
  volumes?: Record<string, unknown>;
}

/** The references `${NAME…}` of a text. */
const references = (text: string): string[] =>
  [...text.matchAll(/\$\{(\w+)/g)].map((match) => match[1] ?? '');

describe('docker-compose.yml (checked, not run: there is no Docker here)', () => {
  let text = '';
  let compose: Compose;

  beforeAll(async () => {
    text = await readFile(join(root, 'docker-compose.yml'), 'utf8');
    compose = parse(text, { strict: true, merge: true });
  });

  it('is of the form that the Compose Specification asks for', async () => {
    const schema = JSON.parse(await readFile(join(root, 'test/specs/compose-spec.json'), 'utf8'));
    const ajv = new Ajv({ strict: false, allErrors: true });
    addFormats.default(ajv);
    const validate = ajv.compile({ ...schema, $schema: 'http://json-schema.org/draft-07/schema#' });
    expect(validate({ services: { api: { imagee: 'x' } } })).toBe(false);
    validate(compose);
    expect(validate.errors ?? []).toEqual([]);
  });

  it('has all parts of Servery, each of which waits for what it needs', () => {
    expect(Object.keys(compose.services)).toEqual(
      expect.arrayContaining(['api', 'worker', 'storefront', 'postgres', 'redis']),
    );
    for (const service of Object.values(compose.services)) {
      for (const needed of Object.keys(service.depends_on ?? {}))
        expect(compose.services).toHaveProperty(needed);
    }
  });

  it('mounts only volumes that it declares', () => {
    const used = Object.values(compose.services).flatMap((service) => service.volumes ?? []);
    const named = used.map((volume) => volume.split(':')[0] ?? '').filter((name) => !/^[./]/.test(name));
    for (const name of named) expect(Object.keys(compose.volumes ?? {})).toContain(name);
  });

  it('keeps in volumes what is written, and has api and worker share what both of them need', () => {
    const volumeOf = (name: string, folder: unknown) => {
      const mounts = (compose.services[name]?.volumes ?? []).map((volume) => volume.split(':'));
      const above = mounts.filter(([, at]) => `${folder}/`.startsWith(`${at}/`));
      return above.toSorted(([, a = ''], [, b = '']) => b.length - a.length)[0];
    };
    const { environment = {} } = compose.services.worker ?? {};
    const volumes = (name: string) =>
      ['IMAGES', 'COOKS', 'EXPORTS', 'IMPORTS'].map((folder) =>
        volumeOf(name, environment[`SERVERY_${folder}_DIR`]),
      );
    expect(volumes('worker').map((volume) => volume?.[0])).toEqual([
      'images',
      'images',
      'exports',
      'imports',
    ]);
    expect(volumes('api').map((volume) => volume?.[0])).toEqual([undefined, undefined, 'exports', 'imports']);
    // Uploads come through the API.
    expect(volumes('api').map((volume) => volume?.[2])).toEqual([undefined, undefined, 'ro', undefined]);
  });

  it('has folders for its volumes that the user of its containers may write', async () => {
    const dockerfile = await readFile(join(root, 'Dockerfile'), 'utf8');
    const made = /mkdir -p (.*) && chown -R node:node servery$/m.exec(dockerfile)?.[1]?.split(' ');
    const folders = Object.entries(compose.services.worker?.environment ?? {}).filter(([name]) =>
      /^SERVERY_(?!DATA).*_DIR$/.test(name),
    );
    expect(folders.length).toBeGreaterThan(0);
    expect(made?.map((folder) => `/var/lib/${folder}`).toSorted()).toEqual(
      folders.map(([, folder]) => folder).toSorted(),
    );
  });

  it('has a worker that can cook', async () => {
    const dockerfile = await readFile(join(root, 'Dockerfile'), 'utf8');
    const [, worker = ''] = /^FROM runtime AS worker$([\s\S]*?)^FROM/m.exec(dockerfile) ?? [];
    const [, installed = ''] = /--no-install-recommends ([\s\S]*?)&&/.exec(worker) ?? [];
    expect(installed.split(/[\s\\]+/)).toEqual(expect.arrayContaining([...requiredDebianPackages]));
    expect(worker).toContain('--add-subuids');
    expect(compose.services.worker?.security_opt).toHaveLength(3);
  });

  it('has an API and a worker that can read the disks that customers upload', async () => {
    const dockerfile = await readFile(join(root, 'Dockerfile'), 'utf8');
    const list = await readFile(join(root, 'scripts/packages/disks.txt'), 'utf8');
    const wanted = [...list.matchAll(/^([a-z]\S*)/gm)].map(([, name]) => name);
    for (const name of ['api', 'worker']) {
      const [, stage = ''] =
        new RegExp(`^FROM runtime AS ${name}$([\\s\\S]*?)^FROM`, 'm').exec(dockerfile) ?? [];
      const [, installed = ''] = /--no-install-recommends ([\s\S]*?)&&/.exec(stage) ?? [];
      expect(installed.split(/[\s\\]+/), name).toEqual(expect.arrayContaining(wanted));
      expect(compose.services[name]?.security_opt, name).toHaveLength(3);
    }
  });

  it('has a worker that can make what volumes are made with', async () => {
    const dockerfile = await readFile(join(root, 'Dockerfile'), 'utf8');
    const list = await readFile(join(root, 'scripts/packages/volumes.txt'), 'utf8');
    for (const [, name = ''] of list.matchAll(/^([a-z]\S*)/gm)) expect(dockerfile).toContain(` ${name} `);
  });

  it('gives every required variable, and none that Servery does not know', () => {
    const known = variableDocs();
    for (const name of ['api', 'worker']) {
      const given = Object.keys(compose.services[name]?.environment ?? {});
      expect(given).toEqual(
        expect.arrayContaining(
          known.filter((variable) => variable.required).map((variable) => variable.name),
        ),
      );
      expect(given.filter((one) => !known.some((variable) => variable.name === one))).toEqual([]);
    }
  });

  it('asks for no variable that it does not explain', () => {
    const explained = new Set(text.match(/^#\s+(\w+)=/gm)?.map((line) => line.replace(/[#=\s]/g, '')));
    expect([...new Set(references(text))].filter((name) => !explained.has(name))).toEqual([]);
  });

  it('builds from stages that the Dockerfile has', async () => {
    const dockerfile = await readFile(join(root, 'Dockerfile'), 'utf8');
    const stages = [...dockerfile.matchAll(/^FROM\s+\S+\s+AS\s+(\S+)/gim)].map((match) => match[1]);
    const targets = Object.values(compose.services).flatMap((service) => service.build?.target ?? []);
    expect(targets.length).toBeGreaterThan(0);
    for (const target of targets) expect(stages).toContain(target);
  });
});
