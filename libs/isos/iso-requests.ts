import { z } from 'zod';
import { sagaRequest } from '#libs/saga';

const serverId = z.number().int();
const isoId = z.number().int();

/** How the workflows on a server's CD drive are asked for. `formerIsoId`: what is in it until then. */
export const attachIsoRequest = sagaRequest(
  'attach-iso',
  z.strictObject({ serverId, isoId, formerIsoId: isoId.nullable() }),
);
export const detachIsoRequest = sagaRequest('detach-iso', z.strictObject({ serverId, isoId }));
