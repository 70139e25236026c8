import { z } from 'zod';
import { action } from './action.ts';
import { entryChange, id, idParam, meta, pageQuery, several, sortQuery, timestamp } from './common.ts';
import { printedAfter, printedSlice } from './printed.ts';
import { recipeName } from './recipe-spec.ts';
import { rehearsal } from './rehearsal.ts';

export const cookStatuses = ['waiting', 'cooking', 'available', 'failed', 'cancelled'] as const;
const cookStages = [
  'waiting',
  'choose',
  'fetch',
  'install',
  'furnish',
  'disk',
  'convert',
  'publish',
  'done',
] as const;

const problem = z.object({ code: z.string(), message: z.string() });

/** What is different between two images, or two recipes: null before, it was added; null after, it is gone. */
export const imageChanges = z
  .object({
    packages: z.array(entryChange),
    files: z.object({
      added: z.array(z.string()),
      removed: z.array(z.string()),
      changed: z.array(z.string()),
    }),
  })
  .meta({ id: 'ImageChanges' });

/** One making of a recipe's image. */
export const cook = z
  .object({
    id,
    recipe: z.object({ id, name: recipeName, version: z.int() }),
    /** `waiting`: for its turn. */
    status: z.enum(cookStatuses),
    stage: z.enum(cookStages),
    /** 0 to 100; never falls. */
    percent: z.int().min(0).max(100),
    /** What is being done now, in a line. */
    message: z.string(),
    created: timestamp,
    started: timestamp.nullable(),
    finished: timestamp.nullable(),
    /**
     * Why there is no image, in a sentence. `fields` names what of the recipe is wrong, such as `packages.3`.
     */
    error: problem
      .extend({ fields: z.array(z.object({ name: z.string(), messages: z.array(z.string()) })).optional() })
      .nullable(),
    /** What was made; or, where neither recipe nor packages have changed, what was there. */
    image: id.nullable(),
    /** Of the image's file. */
    sha256: z.string().nullable(),
    /** Whether the image is the former one, byte for byte. Null: not known yet. */
    unchanged: z.boolean().nullable(),
    size_bytes: z.int().nullable(),
    packages_count: z.int().nullable(),
    /** The image that the recipe had before. */
    former: z.object({ image: id, version: z.int() }).nullable(),
    /** Against the former image; null where there is none, or not yet. */
    changes: imageChanges.nullable(),
  })
  .meta({ id: 'Cook' });

export const cookResponse = z.object({ cook });
export const cookListResponse = z.object({ cooks: z.array(cook), meta });
export const createCookResponse = z.object({ cook, action });

const someId = z.string().regex(/^[1-9]\d{0,15}$/, { error: 'must be a positive integer' });
/** An empty body cooks the newest version. */
export const createCook = z
  .strictObject({
    version: z.int().min(1).optional().meta({ description: 'of the recipe; the newest unless told' }),
    force: z.boolean().default(false).meta({
      description: 'also where neither recipe nor packages have changed: the bytes are the same then',
    }),
  })
  .prefault({});

export const cookListQuery = z.strictObject({
  status: several(z.enum(cookStatuses)).optional(),
  sort: sortQuery(['id', 'created']),
  ...pageQuery,
});
export const allCooksQuery = cookListQuery.extend({ recipe: several(someId).optional() });

export const cookLogQuery = z.strictObject({
  after: printedAfter,
});

/** The next slice of what the cook has printed, at most 64 KiB. */
export const cookLogResponse = z.object({
  log: printedSlice('CookLog'),
});

/** What makes a server of an older image of the recipe, made or upgraded, into one of this cook's. */
export const upgradeQuery = z.strictObject({
  server: idParam.meta({ description: 'a server of an older image of the same recipe' }),
});
export const upgradeResponse = z.object({
  upgrade: z
    .object({ server: id, from_image: id, to_image: id, changes: imageChanges, script: z.string() })
    .meta({ id: 'Upgrade' }),
});
export const rehearseUpgrade = z.strictObject({
  server: id.meta({ description: 'a running server of an older image of the same recipe' }),
  timeout_seconds: z.int().min(1).max(7200).default(1800),
  keep_clone_hours: z.int().min(0).max(168).default(0),
});
export const rehearseUpgradeResponse = z.object({ rehearsal, action });

export type CreateCook = z.output<typeof createCook>;
export type RehearseUpgrade = z.output<typeof rehearseUpgrade>;
export type CookWire = z.output<typeof cook>;
export type CookStatusWire = (typeof cookStatuses)[number];
export type CookStageWire = (typeof cookStages)[number];
export type ImageChangesWire = z.output<typeof imageChanges>;
