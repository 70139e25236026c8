import { z } from 'zod';

/** A public id: an integer below 2^53. */
export const id = z.int().min(1);

/** An id in a path or a query, where everything is text. */
export const idParam = z
  .string()
  .regex(/^[1-9]\d{0,15}$/, { error: 'must be a positive integer' })
  .transform(Number)
  .refine(Number.isSafeInteger, { error: 'must be below 2^53' });

export const byId = z.object({ id: idParam });

/** PostgreSQL has no room for NUL. */
export const text = z.string().regex(/^[^\0]*$/, { error: 'must not have NUL characters' });

/** Text that is looked for. */
export const searchText = text.max(255, { error: 'must have at most 255 characters' });

/** A flag in a query. Hetzner's Python library writes it with a capital. */
export const flag = z.enum(['true', 'false', 'True', 'False'], { error: 'must be true or false' });

/** An id (as a number or text) or a name, as Hetzner's clients send references. */
export const idOrName = z.union([z.int().min(1), searchText.min(1)]).transform(String);

export const timestamp = z.iso.datetime({ offset: true });

/** A price as decimals of the currency's major unit. There is no VAT yet: `gross` equals `net`. */
export const price = z.object({ net: z.string(), gross: z.string() }).meta({ id: 'Price' });
export type PriceWire = z.output<typeof price>;

export const protection = z.object({ delete: z.boolean() });

export const deprecation = z.object({ announced: timestamp, unavailable_after: timestamp });

/** A field that Hetzner's API has and ours does not yet: anything but nothing is refused, naming the field. */
export function notYet(advice = 'is not available here yet; leave it out') {
  return z
    .unknown()
    .refine(meansNothing, { error: advice, params: { reason: 'unsupported' } })
    .optional();
}

function meansNothing(value: unknown): boolean {
  return (
    value === undefined || value === null || value === false || (Array.isArray(value) && value.length === 0)
  );
}

/** What is different of one entry of a list. Null before: it was added. Null after: it is gone. */
export const entryChange = z.object({
  name: z.string(),
  before: z.string().nullable(),
  after: z.string().nullable(),
});

export const PER_PAGE_DEFAULT = 25;
export const PER_PAGE_MAX = 50;

const count = (max: number) =>
  z
    .string()
    .regex(/^[1-9]\d{0,8}$/, { error: 'must be a positive integer' })
    .transform((text) => Math.min(Number(text), max));

/** One value or several (`?status=off&status=running`), always read as a list. */
export function several<T extends z.ZodType<string, string>>(value: T) {
  return z.union([value.transform((one) => [one]), z.array(value)]);
}

export const pageQuery = {
  page: count(1_000_000).default(1),
  per_page: count(PER_PAGE_MAX).default(PER_PAGE_DEFAULT),
};

/** `sort=name:desc`, possibly several times. */
export function sortQuery(fields: readonly string[]) {
  const pattern = new RegExp(`^(?:${fields.join('|')})(?::(?:asc|desc))?$`);
  return several(
    z.string().regex(pattern, { error: `must be one of ${fields.join(', ')}, with :asc or :desc` }),
  ).optional();
}

export const pagination = z.object({
  page: z.int(),
  per_page: z.int(),
  previous_page: z.int().nullable(),
  next_page: z.int().nullable(),
  last_page: z.int().nullable(),
  total_entries: z.int().nullable(),
});

export const meta = z.object({ pagination }).meta({ id: 'Meta' });
export type PaginationWire = z.output<typeof pagination>;

/** RFC 1123, as names of servers must be. */
export const hostname = z
  .string()
  .max(253)
  .regex(
    /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/,
    {
      error: 'must be a hostname: letters, digits, "-" and ".", at most 63 characters between dots',
    },
  );

/** A name for people: one line without control characters. */
export const displayName = z
  .string()
  .trim()
  .min(1, { error: 'must not be empty' })
  .max(128, { error: 'must have at most 128 characters' })
  .regex(/^\P{Cc}*$/u, { error: 'must not have control characters' });
