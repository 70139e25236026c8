import { createSshKey, sshKeysQuery } from '../../api/account.ts';
import { ApiError, newIdempotencyKey } from '../../api/client.ts';
import { queryClient } from '../../api/query-client.ts';
import { createServer } from '../../api/servers.ts';
import { type AccessChoice, clearOrderDraft, type OrderDraft, renewOrderDraft } from '../../order-draft.ts';
import { publicKeyComment } from '../../ssh-public-key.ts';

/**
 * Places the order of a draft and answers its order's id. A lost answer may be tried again: the draft keeps
 * its idempotency key until the service has clearly refused.
 */
export async function placeOrder(draft: OrderDraft): Promise<number> {
  try {
    const body = {
      name: draft.name,
      server_type: draft.serverType,
      image: draft.product,
      ssh_keys: await keyIds(draft.access),
      ...(draft.volumes.length > 0 && { volumes: draft.volumes, automount: draft.automount }),
    };
    const { server } = await createServer(body, draft.idempotencyKey);
    if (server.servery.order_id === null)
      throw new ApiError(201, 'contract', 'The order has no number. See My servers.');
    clearOrderDraft();
    return server.servery.order_id;
  } catch (error) {
    if (error instanceof ApiError && error.status >= 400 && error.status < 500) renewOrderDraft();
    throw error;
  }
}

async function keyIds(access: AccessChoice): Promise<number[]> {
  if (access.kind === 'password') return [];
  if (access.kind === 'saved_key') return [access.keyId];
  const keys = await queryClient.fetchQuery({ ...sshKeysQuery, staleTime: 0 });
  const known = keys.find((key) => keyBlob(key.public_key) === keyBlob(access.publicKey));
  if (known) return [known.id];
  const name = access.name.trim() || publicKeyComment(access.publicKey) || 'My key';
  const taken = keys.some((key) => key.name === name);
  const body = { name: taken ? `${name} ${keys.length + 1}` : name, public_key: access.publicKey.trim() };
  return [(await createSshKey(body, newIdempotencyKey())).id];
}

/** The key itself, without its comment. */
function keyBlob(publicKey: string): string | undefined {
  return publicKey.trim().split(/\s+/)[1];
}
