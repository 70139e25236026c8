import { z } from 'zod';
import { timestamp } from './common.ts';

export const metricTypes = ['cpu', 'disk', 'network'] as const;

const types = z
  .union([z.string().transform((one) => [one]), z.array(z.string())])
  .transform((given) => given.flatMap((some) => some.split(',')))
  .pipe(z.array(z.enum(metricTypes)).min(1, { error: `must be one or more of ${metricTypes.join(', ')}` }));

/**
 * One type or several, by commas or repeated, from `start` to `end`; `step` in seconds is chosen where it is missing, and
 * made longer where there would be more than 500 values.
 */
export const serverMetricsQuery = z
  .strictObject({
    type: types,
    start: timestamp,
    end: timestamp,
    step: z
      .string()
      .regex(/^[1-9]\d{0,8}$/, { error: 'must be a number of seconds' })
      .transform(Number)
      .optional(),
  })
  .refine(({ start, end }) => Date.parse(start) < Date.parse(end), {
    path: ['end'],
    error: 'must be after start',
  });

/** Values are pairs of a Unix time in seconds and a number as text. What nothing is known of is left out. */
export const metrics = z
  .object({
    start: timestamp,
    end: timestamp,
    step: z.int(),
    time_series: z.record(
      z.string(),
      z.object({ values: z.array(z.array(z.union([z.number(), z.string()]))) }),
    ),
  })
  .meta({ id: 'Metrics' });
export const serverMetricsResponse = z.object({ metrics });

export type MetricTypeWire = (typeof metricTypes)[number];
export type MetricsWire = z.output<typeof metrics>;
