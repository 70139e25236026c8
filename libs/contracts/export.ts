import { z } from 'zod';

/** What a link to an export's file carries. */
export const exportDownloadQuery = z.strictObject({
  expires: z.coerce.number().int().positive().meta({ description: 'until when, in seconds since 1970' }),
  signature: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
});
