import { z } from 'zod';

export const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{1,39}$/, { error: 'must be 2 to 40 of a-z, 0-9 and -, and begin with a letter' });
export const text = z.string().trim().min(1);
const portNumber = z.int().min(1).max(65535);

/** Debian policy 5.6.7; a release or version is not chosen here but by the package sources. */
export const packageName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9+.-]+$/, { error: 'is not the name of a Debian package' });

const unit = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9:_.@\\-]*\.(service|socket|timer|target|path|mount)$/, {
  error: 'is not a systemd unit',
});

/** Absolute, already normal: no `.`, `..` or empty part, so that it cannot leave the image. */
export const absolutePath = z
  .string()
  .regex(/^(\/(?!\.{1,2}(\/|$))[^/\0\n]+)+$/, { error: 'must be an absolute path without . or ..' });

export const file = z.strictObject({
  path: absolutePath,
  mode: z
    .string()
    .regex(/^0[0-7]{3}$/, { error: "must be four octal digits in quotes, such as '0644'" })
    .default('0644'),
  owner: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]*$/)
    .default('root'),
  group: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]*$/)
    .default('root'),
  /** In the image before any package is configured, for those that read it then. */
  early: z.boolean().default(false),
});

/** A secret of the application, made for each server and handed over once; its value reaches the guest as a file. */
export const secret = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]{1,39}$/, {
    error: 'must be 2 to 40 of a-z, 0-9 and _, and begin with a letter',
  }),
  title: text.max(60),
  /** Whom it lets in, where there is a name beside it. */
  username: text.max(60).optional(),
});

export const services = z.strictObject({
  enable: z.array(unit).default([]),
  disable: z.array(unit).default([]),
  mask: z.array(unit).default([]),
});

export const port = z.strictObject({
  name: text.max(40),
  port: portNumber,
  protocol: z.enum(['tcp', 'udp', 'http', 'https', 'ssh']),
});

export const healthCheck = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('http'),
    port: portNumber,
    path: z
      .string()
      .regex(/^\/[^\s#]*$/, { error: 'must begin with /' })
      .default('/'),
    status: z.int().min(100).max(599).default(200),
  }),
  z.strictObject({ type: z.literal('tcp'), port: portNumber }),
]);

/** `catalog/<name>/recipe.yaml`, version 1. Unknown keys are refused. */
export const recipeSchema = z
  .strictObject({
    schema: z.literal(1),
    name,
    /** `rescue`: what servers are rescued from. Nobody orders it, and no catalog shows it. */
    kind: z.literal('rescue').optional(),
    title: text.max(60),
    summary: text.max(140),
    description: text.max(4000),
    category: name,
    icon: z
      .string()
      .regex(/^[a-z0-9-]+\.svg$/, { error: 'must be the name of an .svg file beside the recipe' }),
    /** What people see of its servers: a picture of a real one. */
    screenshot: z
      .string()
      .regex(/^[a-z0-9-]+\.png$/, { error: 'must be the name of a .png file beside the recipe' })
      .optional(),
    /** A Debian release (`debian:bookworm`), or the name of the recipe that this one adds to. */
    base: z.union([z.templateLiteral(['debian:', z.string().regex(/^[a-z]+$/)]), name]),
    osFlavor: name,
    osVersion: text.max(20),
    licence: z.union([
      text.max(200),
      z.strictObject({ name: text.max(200), forbids: z.array(z.enum(['export'])).min(1) }),
    ]),
    minimum: z.strictObject({
      memoryMib: z.int().min(128).max(1_048_576),
      diskGib: z.int().min(2).max(1024),
    }),
    packages: z.array(packageName).default([]),
    files: z.array(file).default([]),
    /** What packages make while they are configured and each server makes for itself: keys, databases. */
    remove: z.array(absolutePath).default([]),
    services: services.prefault({}),
    ports: z.array(port).default([]),
    health: z
      .array(healthCheck)
      .min(1, { error: 'must hold one check: an image that nobody checks is never ready' }),
    secrets: z.array(secret).max(10).default([]),
  })
  .superRefine(refuseDoubles);

/** One recipe as its file says, without what it takes from its base. */
export type RecipeFile = z.output<typeof recipeSchema>;
export type FileEntry = z.output<typeof file>;

function transport(protocol: z.output<typeof port>['protocol']): 'tcp' | 'udp' {
  return protocol === 'udp' ? 'udp' : 'tcp';
}

/** What may stand once in a recipe, or in a part of one. */
export function refuseDoubles(
  recipe: Pick<RecipeFile, 'packages' | 'files' | 'secrets' | 'ports'>,
  context: z.RefinementCtx,
): void {
  const paths = recipe.files.map((entry) => entry.path);
  const secrets = recipe.secrets.map((entry) => entry.name);
  const ports = recipe.ports.map((entry) => `${entry.port}/${transport(entry.protocol)}`);
  refuseTwins(context, 'packages', recipe.packages);
  refuseTwins(context, 'files', paths);
  refuseTwins(context, 'secrets', secrets);
  refuseTwins(context, 'ports', ports);
}

function refuseTwins(context: z.RefinementCtx, key: string, values: readonly string[]): void {
  values.forEach((value, index) => {
    if (values.indexOf(value) < index) {
      context.addIssue({ code: 'custom', path: [key, index], message: `${value} stands here twice` });
    }
  });
}
