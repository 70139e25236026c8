import { z } from 'zod';

const port = z.coerce.number().int().min(1).max(65535);
const flag = z.stringbool({ truthy: ['1', 'true', 'yes', 'on'], falsy: ['0', 'false', 'no', 'off'] });
const url = (...protocols: readonly string[]) =>
  z.url({
    protocol: new RegExp(`^(${protocols.join('|')})$`),
    error: `must be a URL of ${protocols.join(' or ')}`,
  });

/** 32 random bytes in base64: `openssl rand -base64 32` makes one. */
const envelopeKey = z
  .base64({ error: 'must be 32 bytes in base64 (openssl rand -base64 32)' })
  .refine((text) => Buffer.from(text, 'base64').length === 32, {
    error: 'must be 32 bytes in base64 (openssl rand -base64 32)',
  });

/** An IPv4 address, or a network of at most 24 bits of hosts: `203.0.113.7`, `203.0.113.0/24`. */
const ipv4Network = z.union([z.ipv4(), z.cidrv4().regex(/\/([89]|[12]\d|3[0-2])$/)], {
  error: 'must be IPv4 addresses or networks, such as 203.0.113.7,198.51.100.0/24',
});

/**
 * Every environment variable that Servery reads. The description of each is its documentation: `.env.example`
 * is written from here.
 */
export const environmentSchema = z.object({
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .describe('production refuses everything that is made for development, such as the Stripe emulator'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('the least level that is logged'),

  DATABASE_URL: url('postgres', 'postgresql').describe(
    'PostgreSQL 15 or newer: postgres://user:password@host:port/name, the user owner of the database and no superuser, whom nothing can be forbidden',
  ),
  REDIS_URL: url('redis', 'rediss').describe('Redis 6.2 or newer: redis://:password@host:port/0'),

  SERVERY_URL: url('http', 'https')
    .transform((text) => text.replace(/\/+$/, ''))
    .describe(
      'where customers reach Servery, with no slash at the end: https, but on loopback; links, cookies and redirects use it',
    ),
  SERVERY_HOST: z.string().min(1).default('127.0.0.1').describe('the address that the API listens on'),
  SERVERY_PORT: port.default(8080).describe('the port that the API listens on'),
  SERVERY_WORKER_PORT: port
    .default(8081)
    .describe("the port of the worker's health and metrics page, and of the consoles that the API passes on"),
  SERVERY_WORKER_URL: url('http')
    .optional()
    .describe(
      'where the API reaches a worker, for consoles: a network of your own; at 127.0.0.1 and the port above unless told',
    ),
  SERVERY_TRUST_PROXY: z
    .union([flag.transform(Number), z.coerce.number().int().min(0).max(9)], {
      error: 'must be yes, no or a number of reverse proxies, 9 at most',
    })
    .default(0)
    .describe(
      'how many reverse proxies stand in front, one behind another: each adds to X-Forwarded-For whom it was asked by, and sets X-Forwarded-Proto; yes is one. What clients write there themselves is not believed',
    ),
  SERVERY_SECRET_KEY: envelopeKey.describe('the envelope key for secrets at rest: 32 bytes in base64'),
  SERVERY_FORMER_SECRET_KEYS: z
    .string()
    .default('')
    .transform((text) => text.split(/[\s,]+/).filter((part) => part !== ''))
    .pipe(z.array(envelopeKey))
    .describe(
      'envelope keys from before SERVERY_SECRET_KEY, separated by commas: what they sealed is still read (servery secrets reseal)',
    ),
  SERVERY_CURRENCY: z
    .enum(['eur', 'usd', 'gbp', 'chf'])
    .default('eur')
    .describe('the currency of all prices, invoices and holds'),
  SERVERY_DATA_DIR: z
    .string()
    .min(1)
    .default('.servery')
    .describe('the folder of everything that must be kept'),
  SERVERY_IMAGES_DIR: z
    .string()
    .min(1)
    .default('.servery/images')
    .describe('where golden images are cooked and kept'),
  SERVERY_EXPORTS_DIR: z
    .string()
    .min(1)
    .default('.servery/exports')
    .describe('where the files of exported servers lie until they expire; api and worker share it'),
  SERVERY_EXPORT_KEEP_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(365)
    .default(7)
    .describe("for how many days an export's file is kept"),
  SERVERY_IMPORTS_DIR: z
    .string()
    .min(1)
    .default('.servery/imports')
    .describe('where disks that customers bring along lie until they are images; api and worker share it'),
  SERVERY_IMPORT_MAX_FILE_GIB: z.coerce
    .number()
    .int()
    .min(1)
    .max(16_384)
    .default(100)
    .describe('how large a file that is uploaded or fetched may be, in GiB'),
  SERVERY_IMPORT_MAX_DISK_GIB: z.coerce
    .number()
    .int()
    .min(1)
    .max(16_384)
    .default(500)
    .describe('how large the disk within it may be, in GiB'),
  SERVERY_IMPORTS_PER_PROJECT: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(2)
    .describe('how many uploads and imports of a project may be under way at once'),
  SERVERY_UPLOAD_KEEP_HOURS: z.coerce
    .number()
    .int()
    .min(1)
    .max(720)
    .default(24)
    .describe('for how many hours an upload may be unfinished, or wait to be imported'),
  SERVERY_CATALOG_DIR: z
    .string()
    .min(1)
    .default('catalog')
    .describe(
      'the folder of the catalog: what customers may build upon, and the components that they choose from',
    ),
  SERVERY_COOKS_DIR: z
    .string()
    .min(1)
    .default('.servery/cooks')
    .describe("where customers' own images are cooked, and lie until hosts have them; workers share it"),
  SERVERY_COOKS_AT_ONCE: z.coerce
    .number()
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe(
      "how many of customers' own images are under way at once, on all workers together; one of them is built at a time, while disks of others are brought to the hosts",
    ),
  SERVERY_COOK_MINUTES: z.coerce
    .number()
    .int()
    .min(5)
    .max(1440)
    .default(60)
    .describe("after how many minutes of work the cook of a customer's own image is given up"),
  SERVERY_RECIPES_PER_PROJECT: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(50)
    .describe('how many recipes of its own a project may have'),
  SERVERY_RESTORE_TESTS_A_DAY: z.coerce
    .number()
    .int()
    .min(0)
    .max(10_000)
    .default(0)
    .describe(
      'how many backups are tried out on a day: started where nobody reaches them, looked at, removed; 0: none',
    ),
  SERVERY_RESTORE_TEST_HOURS: z
    .string()
    .regex(/^([01]?\d|2[0-3])-([01]?\d|2[0-4])$/, { error: 'must look like 1-5 or 22-6, in UTC' })
    .default('1-5')
    .describe('between which full hours backups are tried out, in UTC'),
  SERVERY_APT_MIRROR: url('http', 'https')
    .optional()
    .describe("a Debian mirror for golden images, in place of this machine's own apt sources"),
  SERVERY_STOREFRONT_DIR: z
    .string()
    .min(1)
    .optional()
    .describe(
      'the folder of the built storefront, which the API serves at /; nothing is served there without it',
    ),
  SERVERY_LEASE_SECONDS: z.coerce
    .number()
    .int()
    .min(2)
    .max(600)
    .default(30)
    .describe('after so many seconds without a sign of life, a saga is taken from its worker'),
  SERVERY_WORKER_CONCURRENCY: z.coerce
    .number()
    .int()
    .min(1)
    .max(256)
    .default(16)
    .describe('how many sagas one worker runs side by side'),
  SERVERY_ISOLATED_NETWORK_ALLOWS: z
    .string()
    .default('')
    .transform((text) => text.split(/[\s,]+/).filter((part) => part !== ''))
    .pipe(z.array(ipv4Network))
    .describe(
      "IPv4 addresses and networks, separated by commas, that servers on the isolated network may connect to: a package mirror's, name servers'",
    ),
  SERVERY_RECONCILE_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3600)
    .default(30)
    .describe('how often the hosts are compared with the database'),
  SERVERY_METRICS_TOKEN: z
    .string()
    .regex(/^\S{16,}$/, { error: 'must have 16 characters or more, without spaces (openssl rand -hex 24)' })
    .optional()
    .describe('what Prometheus presents as bearer token at /metrics of API and worker; closed without it'),
  SERVERY_KEEP_DAYS: z.coerce
    .number()
    .int()
    .min(31)
    .max(3650)
    .default(90)
    .describe(
      'for how many days closed findings and settled events and calls of the payment provider are kept',
    ),
  SERVERY_AUDIT_KEEP_DAYS: z.coerce
    .number()
    .int()
    .min(31)
    .max(36_500)
    .default(400)
    .describe('for how many days the audit of who did what is kept'),
  SERVERY_SIMULATED_FLEET_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('tests and benchmarks only: the folder of a simulated fleet, for hosts named simulated:NAME'),
  SERVERY_RELAY_SOCKET: z
    .string()
    .min(1)
    .optional()
    .describe("the lab only: the socket of the relay that shows guests' ports at 127.0.0.1"),
  SERVERY_GUEST_PROXY: z
    .string()
    .min(1)
    .optional()
    .describe("the lab only: the socket through which the worker reaches guests' addresses"),

  STRIPE_SECRET_KEY: z
    .string()
    .regex(/^(sk|rk)_(test|live)_\w+$/, { error: 'must look like sk_test_… or sk_live_…' })
    .describe("Stripe's secret key"),
  STRIPE_WEBHOOK_SECRET: z
    .string()
    .regex(/^whsec_\w+$/, { error: 'must look like whsec_…' })
    .describe('the secret that signs what Stripe posts to $SERVERY_URL/v1/webhooks/stripe'),
  STRIPE_API_HOST: z
    .string()
    .min(1)
    .optional()
    .describe('a host that answers in place of api.stripe.com: the emulator. Refused in production'),
  STRIPE_API_PORT: port.optional().describe('the port of STRIPE_API_HOST'),

  SMTP_URL: url('smtp', 'smtps')
    .optional()
    .describe(
      'the mail server that takes what Servery writes: smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465; mails wait without it',
    ),
  MAIL_FROM: z
    .string()
    .regex(/^([^<>\p{Cc}"]+<[^\s<>@"]+@[^\s<>@"]+>|[^\s<>@"\p{Cc}]+@[^\s<>@"\p{Cc}]+)$/u, {
      error: 'must look like Servery <servery@example.org>',
    })
    .optional()
    .describe(
      'the sender of mails, such as Servery <servery@example.org>: an address that SMTP_URL may send from',
    ),
  SERVERY_REQUIRE_CONFIRMED_EMAIL: flag
    .default(false)
    .describe(
      'take orders only from accounts that have confirmed their address by the link in a mail; needs SMTP_URL',
    ),
});

/** The environment, parsed: the only form in which the rest of Servery sees it. */
export type Environment = Readonly<z.output<typeof environmentSchema>>;

/** What one variable is for, as the operator's documentation lists it. */
export interface VariableDoc {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  readonly defaultValue: string | undefined;
}

/** The documentation of every variable, in the schema's order. */
export function variableDocs(): VariableDoc[] {
  return Object.entries(environmentSchema.shape).map(([name, schema]) => {
    const absent = schema.safeParse(undefined);
    return {
      name,
      description: schema.description ?? '',
      required: !absent.success,
      defaultValue: absent.success && absent.data !== undefined ? String(absent.data) : undefined,
    };
  });
}
