import { z } from 'zod';
import { id, text, timestamp } from './common.ts';

export const suspensionReason = z.enum(['billing', 'abuse', 'operator']);

/** What stands against an account. Its servers are off and cannot be switched on for as long as anything does. */
export const suspension = z
  .object({
    reason: suspensionReason,
    /** What is wrong, as the operator wrote it; may be empty. */
    note: z.string(),
    since: timestamp,
  })
  .meta({ id: 'Suspension' });

/** `billing` comes and goes with what is owed. */
const operatorReason = z.enum(['abuse', 'operator']);

export const suspendAccount = z.strictObject({
  reason: operatorReason,
  /** For the customer, who is mailed it. */
  note: text.trim().max(1000, { error: 'at most 1,000 characters' }).default(''),
});
export const unsuspendAccount = z.strictObject({ reason: operatorReason });

export const accountSuspensionsResponse = z.object({
  account: z
    .object({ id, email: z.string(), suspensions: z.array(suspension) })
    .meta({ id: 'AccountSuspensions' }),
});

export type SuspensionWire = z.output<typeof suspension>;
