import { z } from 'zod';
import { sagaRequest } from '#libs/saga';

/** Parameters of every workflow on one server: all else is read from its row when a step needs it. */
export const serverParams = z.strictObject({ serverId: z.number().int() });

// How the workflows on a server are asked for; `libs/workflows` says what they do.

/** `automount`: volumes that it has from the start are mounted in it. */
export const provisionServerRequest = sagaRequest(
  'provision-server',
  serverParams.extend({ automount: z.boolean().default(false) }),
);
/** `freezeSagaId`: what freezes the disk that it is a copy of. */
export const cloneServerRequest = sagaRequest(
  'clone-server',
  z.strictObject({ serverId: z.number().int(), freezeSagaId: z.number().int() }),
);
/** `from`: what its network was, should that fail. */
export const openNetworkRequest = sagaRequest(
  'open-network',
  z.strictObject({ serverId: z.number().int(), from: z.enum(['isolated', 'closed', 'open']) }),
);
export const deleteServerRequest = sagaRequest('delete-server', serverParams);
export const powerOnServerRequest = sagaRequest('power-on-server', serverParams);
export const powerOffServerRequest = sagaRequest('power-off-server', serverParams);
export const shutdownServerRequest = sagaRequest('shutdown-server', serverParams);
export const rebootServerRequest = sagaRequest('reboot-server', serverParams);
export const resetServerRequest = sagaRequest('reset-server', serverParams);
/** `delivery`: missing in what older releases have asked for, which gave the new password to the owner with the request. */
export const resetPasswordRequest = sagaRequest(
  'reset-password',
  serverParams.extend({ delivery: z.enum(['answer', 'reveal']).optional() }),
);
/** Asked for by `ServerSuspensions` alone: what an account's suspensions make of its servers. */
export const suspendServerRequest = sagaRequest('suspend-server', serverParams);
export const retireServerRequest = sagaRequest('retire-server', serverParams);
export const resumeServerRequest = sagaRequest('resume-server', serverParams);
export const createImageRequest = sagaRequest(
  'create-image',
  z.strictObject({
    serverId: z.number().int(),
    imageId: z.number().int(),
    frozenDiskId: z.number().int(),
    generation: z.number().int(),
    withMemory: z.boolean().default(false),
  }),
);
/** Asked for by those who read the frozen disk. */
export const freezeDiskRequest = sagaRequest(
  'freeze-disk',
  z.strictObject({
    serverId: z.number().int(),
    frozenDiskId: z.number().int(),
    generation: z.number().int(),
  }),
);
export const enableRescueRequest = sagaRequest(
  'enable-rescue',
  z.strictObject({ serverId: z.number().int(), rescueId: z.number().int() }),
);
export const disableRescueRequest = sagaRequest('disable-rescue', serverParams);
/** A boot `from` one system `into` another, by the button that was pressed; null: the server's own. */
export const switchSystemRequest = sagaRequest(
  'switch-system',
  z.strictObject({
    serverId: z.number().int(),
    from: z.number().int().nullable(),
    into: z.number().int().nullable(),
    by: z.enum(['power_on', 'reboot', 'reset']),
  }),
);
/** Asked for by the worker, of a server that is off. */
export const mergeLayersRequest = sagaRequest('merge-layers', serverParams);
/** About the test, and no server: its owner may do as they like meanwhile. */
export const verifyBackupRequest = sagaRequest(
  'verify-backup',
  z.strictObject({ restoreTestId: z.number().int() }),
);
/** `image` is gone back to; what is left behind becomes the image `keptImageId`, of the disk `frozenDiskId`. */
export const rollBackServerRequest = sagaRequest(
  'roll-back-server',
  z.strictObject({
    serverId: z.number().int(),
    imageId: z.number().int(),
    keptImageId: z.number().int(),
    frozenDiskId: z.number().int(),
    generation: z.number().int(),
    power: z.enum(['running', 'off']),
    /** From the memory of the snapshot, without a boot. */
    resumes: z.boolean().default(false),
  }),
);
/** What a server is changed from, and to; `power` is what it does when that is asked for. */
export const changeTypeRequest = sagaRequest(
  'change-type',
  z.strictObject({
    serverId: z.number().int(),
    serverTypeId: z.number().int(),
    diskGib: z.number().int(),
    formerTypeId: z.number().int(),
    formerDiskGib: z.number().int(),
    power: z.enum(['running', 'off']),
  }),
);
/** `power` is what it did before, should the new disk not work; what older releases have asked for does not say. */
export const rebuildServerRequest = sagaRequest(
  'rebuild-server',
  z.strictObject({
    serverId: z.number().int(),
    imageId: z.number().int(),
    generation: z.number().int(),
    power: z.enum(['running', 'off']).default('running'),
    /** Of the new password. Missing in what older releases have asked for, which gave it to the owner with the request. */
    delivery: z.enum(['answer', 'reveal']).optional(),
  }),
);
