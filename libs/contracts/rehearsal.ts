import { z } from 'zod';
import { action } from './action.ts';
import { entryChange, id, meta, pageQuery, several, sortQuery, timestamp } from './common.ts';
import { printedAfter, printedSlice } from './printed.ts';

const rehearsalStatuses = ['rehearsing', 'passed', 'failed', 'applying', 'applied', 'rolled_back'] as const;
const runStatuses = ['waiting', 'running', 'passed', 'failed', 'rolled_back'] as const;
const runStages = ['rehearsal', 'production'] as const;

const SCRIPT_MAX_BYTES = 64 * 1024;

/** One GET, or one connection, that a server has to answer; seen from outside, as its users would. */
export const healthCheck = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('http'),
      port: z.int().min(1).max(65_535),
      path: z
        .string()
        .max(255)
        .regex(/^\/[\x21-\x7e]*$/, { error: 'must begin with / and have no spaces' }),
      status: z.int().min(100).max(599),
    }),
    z.strictObject({ type: z.literal('tcp'), port: z.int().min(1).max(65_535) }),
  ])
  .meta({ id: 'HealthCheck' });

const difference = z.object({ added: z.array(z.string()), removed: z.array(z.string()) });
const boot = z.number().nullable();

/** What a system was, or is, by its own account. */
export const systemState = z
  .object({
    kernel: z.string().nullable(),
    /** How many are installed. */
    packages: z.int(),
    failed_units: z.array(z.string()),
    /** `tcp 0.0.0.0:22` */
    listening: z.array(z.string()),
    disks: z.array(z.object({ mount_point: z.string(), size_bytes: z.int(), used_bytes: z.int() })),
    /** From the start of the kernel until everything was started; as `systemd-analyze` has it. */
    boot_seconds: boot,
  })
  .meta({ id: 'SystemState' });

/** What is different after a script. Null before: it was added; null after: it is gone. */
export const systemChanges = z
  .object({
    kernel: z.object({ before: z.string().nullable(), after: z.string().nullable() }).nullable(),
    packages: z.array(entryChange),
    services: z.array(entryChange),
    failed_units: difference,
    listening: difference,
    disks: z.array(
      z.object({
        mount_point: z.string(),
        before_bytes: z.int().nullable(),
        after_bytes: z.int().nullable(),
      }),
    ),
    boot_seconds: z.object({ before: boot, after: boot }),
  })
  .meta({ id: 'SystemChanges' });

/** One run of the script: on the clone, or on the server itself. */
export const rehearsalRun = z
  .object({
    status: z.enum(runStatuses),
    server: id,
    started: timestamp.nullable(),
    finished: timestamp.nullable(),
    exit_code: z.int().nullable(),
    script_seconds: z.int().nullable(),
    output: z.object({ kept_bytes: z.int(), cut_bytes: z.int() }),
    checks: z.array(z.object({ check: healthCheck, passed: z.boolean() })).nullable(),
    before: systemState.nullable(),
    after: systemState.nullable(),
    changes: systemChanges.nullable(),
    /** Where it was rolled back: whether the server has passed its checks since. */
    answers_again: z.boolean().nullable(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
  })
  .meta({ id: 'RehearsalRun' });

const rehearsalFacts = {
  id,
  server: id,
  status: z.enum(rehearsalStatuses),
  created: timestamp,
  finished: timestamp.nullable(),
  /** Until when it can be applied; null: not any more, or not yet. */
  applicable_until: timestamp.nullable(),
  script_bytes: z.int(),
  timeout_seconds: z.int(),
  health_checks: z.array(healthCheck),
  /** While there is one. */
  clone: z.object({ server: id, expires: timestamp.nullable() }).nullable(),
};

/** As it stands in lists: without what its runs found. */
export const rehearsalSummary = z.object(rehearsalFacts).meta({ id: 'RehearsalSummary' });

/** An upgrade that is tried on a clone of a server, and then done on the server. */
export const rehearsal = z
  .object({
    ...rehearsalFacts,
    rehearsal: rehearsalRun.nullable(),
    production: rehearsalRun.nullable(),
  })
  .meta({ id: 'Rehearsal' });

export const createRehearsal = z.strictObject({
  script: z
    .string()
    .min(1, { error: 'must not be empty' })
    .regex(/^[^\0]*$/, { error: 'must not have NUL characters' })
    .refine((text) => new TextEncoder().encode(text).byteLength <= SCRIPT_MAX_BYTES, {
      error: 'must have at most 64 KiB',
    })
    .meta({
      description:
        'run as root, by the interpreter of its first line or /bin/sh; SERVERY_STAGE is `rehearsal` or `production`',
    }),
  health_checks: z
    .array(healthCheck)
    .max(20, { error: 'at most 20' })
    .optional()
    .meta({ description: 'those of the server’s appliance unless told' }),
  timeout_seconds: z.int().min(1).max(7200).default(1800),
  keep_clone_hours: z.int().min(0).max(168).default(0),
});

export const applyRehearsal = z
  .strictObject({
    even_if_failed: z.boolean().default(false).meta({ description: 'also where the rehearsal has failed' }),
  })
  .prefault({});

export const rehearsalResponse = z.object({ rehearsal });
export const rehearsalListResponse = z.object({ rehearsals: z.array(rehearsalSummary), meta });
export const createRehearsalResponse = z.object({ rehearsal, action });

const someId = z.string().regex(/^[1-9]\d{0,15}$/, { error: 'must be a positive integer' });

export const rehearsalListQuery = z.strictObject({
  server: several(someId).optional(),
  status: several(z.enum(rehearsalStatuses)).optional(),
  sort: sortQuery(['id', 'created']),
  ...pageQuery,
});

export const rehearsalOutputQuery = z.strictObject({
  stage: z.enum(runStages).default('rehearsal'),
  after: printedAfter,
});

/** The next slice of what a script has printed, at most 64 KiB. */
export const rehearsalOutputResponse = z.object({
  output: printedSlice('RehearsalOutput'),
});

export type CreateRehearsal = z.output<typeof createRehearsal>;
export type RehearsalWire = z.output<typeof rehearsal>;
export type RehearsalSummaryWire = z.output<typeof rehearsalSummary>;
export type RehearsalRunWire = z.output<typeof rehearsalRun>;
export type RehearsalStage = (typeof runStages)[number];
export type SystemStateWire = z.output<typeof systemState>;
export type SystemChangesWire = z.output<typeof systemChanges>;
export type HealthCheckWire = z.output<typeof healthCheck>;
