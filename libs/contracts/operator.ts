import { z } from 'zod';
import { id, meta, pageQuery, searchText, several, sortQuery, timestamp } from './common.ts';

const capacity = z.object({ total: z.int(), used: z.int() });

const hostStates = z.enum(['active', 'draining', 'unreachable', 'maintenance', 'lost']);

/** A hypervisor host, as its operator sees it. */
export const host = z
  .object({
    id,
    name: z.string(),
    uri: z.string(),
    location: z.object({ id, name: z.string() }),
    state: hostStates,
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
  name: searchText.optional(),
  state: several(hostStates).optional(),
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
  kind: several(searchText).optional(),
  sort: sortQuery(['id', 'kind', 'first_seen', 'last_seen']),
  ...pageQuery,
});

const sagaError = z.object({ code: z.string(), message: z.string() });
const sagaStates = z.enum(['running', 'undoing', 'done', 'undone', 'stuck']);

/** One try of one step of a workflow. */
export const sagaTry = z
  .object({
    step: z.string(),
    direction: z.enum(['do', 'undo']),
    try: z.int(),
    outcome: z.enum(['succeeded', 'retried', 'failed', 'interrupted']),
    error: sagaError.nullable(),
    duration_seconds: z.number(),
    worker: z.string(),
    at: timestamp,
  })
  .meta({ id: 'SagaTry' });

/** A long operation. Its parameters and outputs are not shown. */
export const saga = z
  .object({
    id,
    name: z.string(),
    state: sagaStates,
    direction: z.enum(['do', 'undo']),
    step: z.string(),
    tries: z.int(),
    subject: z.object({ type: z.string(), id }).nullable(),
    action_id: id.nullable(),
    error: sagaError.nullable(),
    wake_at: timestamp,
    created: timestamp,
    updated: timestamp,
    finished: timestamp.nullable(),
  })
  .meta({ id: 'Saga' });

/** `log` has every try of every step, the oldest first. */
export const sagaResponse = z.object({
  saga: saga.extend({ log: z.array(sagaTry) }).meta({ id: 'SagaWithLog' }),
});
export const sagaListResponse = z.object({ sagas: z.array(saga) });
/** The newest sagas; at most 50. */
export const sagaListQuery = z.strictObject({ state: several(sagaStates).optional() });

export type HostWire = z.output<typeof host>;
export type FindingWire = z.output<typeof finding>;
export type SagaWire = z.output<typeof saga>;
export type SagaTryWire = z.output<typeof sagaTry>;
