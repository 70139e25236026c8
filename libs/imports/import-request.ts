import { z } from 'zod';
import { sagaRequest } from '#libs/saga';

/** How the import of an image is asked for; all else is read from its rows when a step needs it. */
export const importImageRequest = sagaRequest('import-image', z.strictObject({ imageId: z.number().int() }));
