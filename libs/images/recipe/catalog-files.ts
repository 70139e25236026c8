import type { Dirent } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import type { z } from 'zod';
import { DomainError } from '#libs/kernel';
import { recipeInvalid } from './recipe.errors.ts';
import type { FileEntry } from './recipe.schema.ts';
import type { RecipeContent } from './recipe.ts';

const FILE_MAX_BYTES = 1_048_576;

/** What a YAML file of the catalog holds; its name must be that of its folder. @throws DomainError `recipe_invalid` */
export function parseNamed<T extends { readonly name: string }>(
  name: string,
  source: string,
  schema: z.ZodType<T>,
): T {
  const parsed = schema.safeParse(parseYaml(name, source));
  if (!parsed.success) {
    throw recipeInvalid(
      name,
      parsed.error.issues.map((issue) => ({
        name: issue.path.join('.') || '(root)',
        messages: [issue.message],
      })),
    );
  }
  if (parsed.data.name !== name) {
    throw recipeInvalid(name, [{ name: 'name', messages: [`must be ${name}, as its folder`] }]);
  }
  return parsed.data;
}

function parseYaml(name: string, source: string): unknown {
  try {
    return parse(source, { maxAliasCount: 0, strict: true, logLevel: 'error' });
  } catch (cause) {
    if (cause instanceof YAMLParseError || cause instanceof ReferenceError) {
      throw recipeInvalid(name, [{ name: '(root)', messages: [cause.message] }]);
    }
    throw cause;
  }
}

/** The files of a recipe lie under `files/` at the path that they have in the image; none may be left over. */
export async function readFiles(
  folder: string,
  name: string,
  entries: readonly FileEntry[],
): Promise<RecipeContent[]> {
  const root = join(folder, 'files');
  const listed = new Set(entries.map((entry) => entry.path));
  const found = await walk(root);
  const unlisted = found.filter((path) => !listed.has(path));
  if (unlisted.length > 0) {
    throw recipeInvalid(name, [
      { name: 'files', messages: unlisted.map((path) => `files${path} is not listed`) },
    ]);
  }
  return Promise.all(
    entries.map(async (entry, index) => ({
      ...entry,
      content: await readSmall(name, `files.${index}.path`, join(root, entry.path)),
    })),
  );
}

async function walk(root: string): Promise<string[]> {
  const entries: Dirent[] = await readdir(root, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => `/${relative(root, join(entry.parentPath, entry.name))}`);
}

/** Told of a part of the catalog that is not usable, which is left out then. */
export type OnBroken = (error: DomainError) => void;

/** Reads parts of the catalog. @throws DomainError of the first that is not usable, unless `onBroken` is told */
export async function readEach<S, T>(
  parts: readonly S[],
  read: (part: S) => Promise<T>,
  onBroken?: OnBroken,
): Promise<T[]> {
  const found = await Promise.all(
    parts.map(async (part) => {
      try {
        return [await read(part)];
      } catch (error) {
        if (!onBroken || !(error instanceof DomainError)) throw error;
        onBroken(error);
        return [];
      }
    }),
  );
  return found.flat();
}

/** A file of at most 1 MiB, which is no link. @throws DomainError `recipe_invalid` */
export async function readSmall(name: string, field: string, path: string): Promise<Buffer> {
  const stat = await lstat(path).catch(() => undefined);
  if (!stat?.isFile()) throw recipeInvalid(name, [{ name: field, messages: [`${path} is not a file`] }]);
  if (stat.size > FILE_MAX_BYTES) {
    throw recipeInvalid(name, [
      { name: field, messages: [`${path} is larger than 1 MiB: make it a package`] },
    ]);
  }
  return readFile(path);
}
