import { z } from 'zod';
import { sagaRequest } from '#libs/saga';

const volumeId = z.number().int();

/** How the workflows on a volume are asked for; `libs/workflows` says what they do. */
export const createVolumeRequest = sagaRequest('create-volume', z.strictObject({ volumeId }));
export const attachVolumeRequest = sagaRequest(
  'attach-volume',
  z.strictObject({
    volumeId,
    serverId: z.number().int(),
    slot: z.number().int(),
    automount: z.boolean(),
  }),
);
export const detachVolumeRequest = sagaRequest(
  'detach-volume',
  z.strictObject({ volumeId, serverId: z.number().int() }),
);
/** `serverId`: the server that has it. Its room is reserved by then. */
export const resizeVolumeRequest = sagaRequest(
  'resize-volume',
  z.strictObject({ volumeId, serverId: z.number().int().nullable(), sizeGib: z.number().int() }),
);
export const deleteVolumeRequest = sagaRequest('delete-volume', z.strictObject({ volumeId }));
