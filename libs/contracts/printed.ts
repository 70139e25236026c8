import { z } from 'zod';

/** From where what was printed is read on. */
export const printedAfter = z
  .string()
  .regex(/^\d{1,9}$/, { error: 'must be a number of bytes' })
  .default('0')
  .transform(Number)
  .meta({ description: 'reads on from there: the `next` of the answer before' });

/** The next slice of what a program has printed, at most 64 KiB; of a schema's own name in the API's document. */
export function printedSlice(name: string) {
  return z
    .object({
      text: z.string(),
      next: z.int(),
      /** Whether there will never be more. */
      is_end: z.boolean(),
      /** How much was printed beyond the 1 MiB that is kept. */
      cut_bytes: z.int(),
    })
    .meta({ id: name });
}
