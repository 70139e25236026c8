import { z } from 'zod';
import { healthCheck } from './rehearsal.ts';

/** What a recipe may have at most: all of it fits into one request of {@link RECIPE_BODY_BYTES}. The operator sets how many recipes a project may have. */
export const RECIPE_LIMITS = {
  components: 20,
  packages: 200,
  files: 64,
  fileBytes: 128 * 1024,
  filesBytes: 160 * 1024,
  scriptBytes: 32 * 1024,
  units: 50,
  ports: 30,
  healthChecks: 20,
  /**
   * What is allowed of files and script as YAML: base64 is a third longer (214 KiB), and text is indented. Six times as much, which
   * is JSON's longest spelling, fits into a request.
   */
  yamlBytes: 320 * 1024,
} as const;

/**
 * The largest request that writes a recipe. JSON's longest spelling has six bytes for one of a text (`\u0001`): of files,
 * script and paths those are 1.5 MiB, of YAML 1.9.
 */
export const RECIPE_BODY_BYTES = 2 * 1024 * 1024;

/**
 * Text of which nothing is seen, which a block of YAML does not keep: there it tells how far the block is indented, or ends
 * it (YAML 1.2.2, 8.1.1). Whoever writes a recipe as YAML quotes it.
 */
export function isBlankText(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.trim() === '';
}

const bytesOf = (text: string) => new TextEncoder().encode(text).byteLength;

/** What to do with a file that is too large for a recipe. */
export const INSTEAD_OF_FILES =
  'put large files into a Debian package, or fetch them in the first boot script';

/** Text that every program reads alike: no NUL, and no half of a surrogate pair. `instead`: what to do with other text. */
const text = (maxBytes: number, instead: { readonly ofNul?: string; readonly ofLarge?: string } = {}) =>
  z
    .string()
    .refine((value) => !value.includes('\0') && value.isWellFormed(), {
      error: `must be Unicode text without NUL characters${after(instead.ofNul)}`,
    })
    .refine((value) => bytesOf(value) <= maxBytes, {
      error: `must have at most ${maxBytes / 1024} KiB${after(instead.ofLarge)}`,
    });

const after = (advice: string | undefined) => (advice === undefined ? '' : `: ${advice}`);

const line = (max: number, min = 1) =>
  z
    .string()
    .trim()
    .min(min, { error: 'must not be empty' })
    .max(max, { error: `must have at most ${max} characters` })
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, { error: 'must be one line without control characters' });

/** The name of a recipe in its project, and of a base or a component. */
export const recipeName = z.string().regex(/^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])$/, {
  error: 'must be 2 to 40 of a-z, 0-9 and -, begin with a letter and not end with -',
});

/** Debian policy 5.6.1. The archive decides on the version. */
export const debianPackage = z
  .string()
  .max(100)
  .regex(/^[a-z0-9][a-z0-9+.-]+$/, { error: 'is not the name of a Debian package' });

/** A unit of systemd that starts something. */
export const systemdUnit = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9][A-Za-z0-9:_.@-]*\.(?:service|socket|timer|target|path|mount)$/, {
    error: 'is not a systemd unit, such as nginx.service',
  });

/** Absolute and already normal, so that it cannot lead elsewhere. */
export const imagePath = z
  .string()
  .max(1024)
  .regex(/^(?:\/(?!\.{1,2}(?:\/|$))[^/\p{Cc}\p{Cs}]+)+$/u, {
    error: 'must be an absolute path without ., .. or control characters',
  });

const systemName = z
  .string()
  .regex(/^[a-z_][a-z0-9_-]{0,31}$/, { error: 'is not the name of a user or group' });

const quotedMode = 'must be four octal digits in quotes, such as "0644"';

/** A file of the image: `content` where it is text, `content_base64` where it is not. */
export const recipeFile = z
  .strictObject({
    path: imagePath,
    content: text(RECIPE_LIMITS.fileBytes, {
      ofNul: 'send content_base64',
      ofLarge: INSTEAD_OF_FILES,
    }).optional(),
    content_base64: z
      .base64({ error: 'must be base64' })
      .max(Math.ceil(RECIPE_LIMITS.fileBytes / 3) * 4, {
        error: `must have at most ${RECIPE_LIMITS.fileBytes / 1024} KiB: ${INSTEAD_OF_FILES}`,
      })
      .optional(),
    mode: z
      .string({ error: quotedMode })
      .regex(/^0[0-7]{3}$/, { error: quotedMode })
      .default('0644'),
    owner: systemName.default('root'),
    group: systemName.default('root'),
  })
  .refine((file) => (file.content === undefined) !== (file.content_base64 === undefined), {
    path: ['content'],
    error: 'give either content or content_base64',
  })
  .meta({ id: 'RecipeFile' });

export const recipePort = z
  .strictObject({
    name: line(40),
    port: z.int().min(1).max(65_535),
    protocol: z.enum(['tcp', 'udp', 'http', 'https', 'ssh']).default('tcp'),
  })
  .meta({ id: 'RecipePort' });

const list = <T extends z.ZodType>(item: T, most: number) =>
  z.array(item).max(most, { error: `at most ${most}` });

export const recipeServices = z.strictObject({
  enable: list(systemdUnit, RECIPE_LIMITS.units).default([]),
  disable: list(systemdUnit, RECIPE_LIMITS.units).default([]),
  mask: list(systemdUnit, RECIPE_LIMITS.units).default([]),
});

export const recipeMinimum = z.strictObject({
  memory_mib: z.int().min(128).max(1_048_576).meta({ description: 'of the smallest server for it, in MiB' }),
  disk_gib: z
    .int()
    .min(2)
    .max(64)
    .meta({ description: "the image's own size in GiB; servers have as much or more" }),
});

const fields = {
  name: recipeName.meta({ description: 'unique in the project' }),
  title: line(60).meta({ description: 'the name unless told' }),
  summary: line(140, 0),
  base: recipeName.meta({ description: 'what it stands on: one of `bases` of /v1/components' }),
  components: list(recipeName, RECIPE_LIMITS.components).meta({ description: 'of /v1/components, by name' }),
  packages: list(debianPackage, RECIPE_LIMITS.packages).meta({
    description: 'Debian packages; the archive decides on versions',
  }),
  files: list(recipeFile, RECIPE_LIMITS.files),
  services: recipeServices.meta({
    description: 'units to enable, to disable and to mask; packages enable their own',
  }),
  first_boot_script: text(RECIPE_LIMITS.scriptBytes).nullable().meta({
    description:
      'run once as root on each server of the image, at its first boot, by the interpreter of its first line or /bin/sh; a server is not ready before it has ended, and not at all where it fails. Never run while the image is cooked',
  }),
  ports: list(recipePort, RECIPE_LIMITS.ports).meta({ description: 'beside those of base and components' }),
  health: list(healthCheck, RECIPE_LIMITS.healthChecks).meta({
    description: 'beside those of base and components: all must pass before a server counts as ready',
  }),
  minimum: recipeMinimum,
};

/** A recipe as its owner writes it, whole: what `yaml` says, and what each version keeps. */
export const recipeSpec = z.strictObject({
  name: fields.name,
  title: fields.title.optional(),
  summary: fields.summary.default(''),
  base: fields.base.default('debian-12'),
  components: fields.components.default([]),
  packages: fields.packages.default([]),
  files: fields.files.default([]),
  services: fields.services.prefault({}),
  first_boot_script: fields.first_boot_script.default(null),
  ports: fields.ports.default([]),
  health: fields.health.default([]),
  minimum: fields.minimum.default({ memory_mib: 512, disk_gib: 4 }),
});

const yaml = text(RECIPE_LIMITS.yamlBytes, { ofLarge: INSTEAD_OF_FILES }).meta({
  description:
    'the whole recipe as YAML with the same keys, in place of all other fields; no anchors, aliases or tags',
});

const someFields = {
  name: fields.name.optional(),
  title: fields.title.optional(),
  summary: fields.summary.optional(),
  base: fields.base.optional(),
  components: fields.components.optional(),
  packages: fields.packages.optional(),
  files: fields.files.optional(),
  services: fields.services.optional(),
  first_boot_script: fields.first_boot_script.optional(),
  ports: fields.ports.optional(),
  health: fields.health.optional(),
  minimum: fields.minimum.optional(),
};

const eitherWay = (body: object) =>
  !('yaml' in body) || Object.keys(body).every((key) => key === 'yaml' || key === 'if_version');

/** By fields, of which `name` is needed, or by `yaml` alone. */
export const createRecipe = z
  .strictObject({ yaml: yaml.optional(), ...someFields })
  .refine(eitherWay, { path: ['yaml'], error: 'give either yaml or the fields' })
  .refine((body) => body.yaml !== undefined || body.name !== undefined, {
    path: ['name'],
    error: 'a recipe needs a name',
  });

/** What is missing stays as it is; `yaml` replaces all of it. What changes anything makes a new version. */
export const updateRecipe = z
  .strictObject({
    yaml: yaml.optional(),
    ...someFields,
    if_version: z
      .int()
      .min(1)
      .optional()
      .meta({ description: 'refused where the recipe has another version by now' }),
  })
  .refine(eitherWay, { path: ['yaml'], error: 'give either yaml or the fields' });
export type RecipeSpec = z.output<typeof recipeSpec>;
export type RecipeFileWire = z.output<typeof recipeFile>;
export type CreateRecipe = z.output<typeof createRecipe>;
export type UpdateRecipe = z.output<typeof updateRecipe>;
