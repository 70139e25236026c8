import { z } from 'zod';
import { id, meta, pageQuery, several, sortQuery, timestamp } from './common.ts';

const capacity = z.object({ total: z.int(), used: z.int() });

/** A hypervisor host, as its operator sees it. */
export const host = z
  .object({
    id,
    name: z.string(),
    uri: z.string(),
    location: z.object({ id, name: z.string() }),
    state: z.enum(['active', 'draining', 'unreachable', 'maintenance']),
    domain_type: z.enum(['kvm', 'qemu']),
    domain_type_reason: z.string(),
    vcpus: capacity,
    memory_mib: capacity,
    disk_gib: capacity,
    servers: z.int(),
    last_seen: timestamp.nullable(),
    created: timestamp,
  })
  .meta({ id: 'Host' });

export const hostResponse = z.object({ host });
export const hostListResponse = z.object({ hosts: z.array(host), meta });
export const hostListQuery = z.strictObject({
  name: z.string().optional(),
  state: several(z.enum(['active', 'draining', 'unreachable', 'maintenance'])).optional(),
  sort: sortQuery(['id', 'name']),
  ...pageQuery,
});

/** A difference between the fleet and the database that the reconciler reported. */
export const finding = z
  .object({
    id,
    kind: z.string(),
    host: z.object({ id, name: z.string() }).nullable(),
    subject: z.string(),
    details: z.record(z.string(), z.unknown()),
    first_seen: timestamp,
    last_seen: timestamp,
    resolved: timestamp.nullable(),
  })
  .meta({ id: 'Finding' });

export const findingListResponse = z.object({ findings: z.array(finding), meta });
export const findingListQuery = z.strictObject({
  kind: several(z.string()).optional(),
  include_resolved: z.enum(['true', 'false']).optional(),
  ...pageQuery,
});

/** One try of one step of a workflow. */
export const sagaStep = z
  .object({
    name: z.string(),
    direction: z.string(),
    state: z.string(),
    tries: z.int(),
    started: timestamp.nullable(),
    finished: timestamp.nullable(),
    duration_seconds: z.number().nullable(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
  })
  .meta({ id: 'SagaStep' });

/** A long operation. It never shows its parameters: they may name what is not the operator's. */
export const saga = z
  .object({
    id: z.string(),
    type: z.string(),
    state: z.string(),
    subject: z.object({ type: z.string(), id }).nullable(),
    tries: z.int(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    wake_at: timestamp.nullable(),
    created: timestamp,
    finished: timestamp.nullable(),
    steps: z.array(sagaStep).optional(),
  })
  .meta({ id: 'Saga' });

export const sagaResponse = z.object({ saga });
export const sagaListResponse = z.object({ sagas: z.array(saga), meta });
export const sagaListQuery = z.strictObject({
  state: several(z.string()).optional(),
  type: several(z.string()).optional(),
  ...pageQuery,
});
export const bySagaId = z.object({ id: z.string().regex(/^[\w-]{1,64}$/, { error: 'is not an id' }) });

export type HostWire = z.output<typeof host>;
export type FindingWire = z.output<typeof finding>;
export type SagaWire = z.output<typeof saga>;
export type SagaStepWire = z.output<typeof sagaStep>;
