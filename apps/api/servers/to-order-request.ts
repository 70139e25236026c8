import type { CreateServer } from '#libs/contracts';
import { type Currency, DomainError } from '#libs/kernel';
import type { OrderRequest } from '#libs/orders';
import { volumesAlong } from '#libs/volumes';
import type { Principal } from '../auth/principal.ts';
import { ApiError } from '../http/api-error.ts';
import { passwordDelivery } from './password-delivery.ts';

/** @throws ApiError when location and datacenter name a place each */
export function toOrderRequest(
  serverId: number,
  body: CreateServer,
  principal: Principal,
  currency: Currency,
): OrderRequest {
  if (body.location !== undefined && body.datacenter !== undefined) {
    const messages = ['name either location or datacenter, not both'];
    throw new ApiError('invalid_input', 'location and datacenter exclude each other', {
      fields: [{ name: 'datacenter', messages }],
    });
  }
  const location = body.location ?? body.datacenter;
  const { volumes, automount } = body;
  return {
    serverId,
    accountId: principal.accountId,
    projectId: principal.projectId,
    currency,
    name: body.name,
    serverType: body.server_type,
    image: body.image,
    ...(location === undefined ? {} : { location }),
    sshKeys: body.ssh_keys ?? [],
    labels: body.labels ?? {},
    ...(body.user_data === undefined ? {} : { userData: body.user_data }),
    startAfterCreate: body.start_after_create,
    ...(volumes.length > 0 && { volumes: volumesAlong(principal.projectId, volumes, { automount }) }),
    passwordDelivery: passwordDelivery(principal),
  };
}

const fieldOf: Readonly<Record<string, string>> = {
  server_type_not_found: 'server_type',
  image_not_found: 'image',
  location_not_found: 'location',
  iso_not_found: 'iso',
  volume_not_found: 'volumes',
};

/** What a body names and the catalog does not have is wrong input, not a wrong address. */
export function unknownReferences(error: unknown): never {
  const field = error instanceof DomainError ? fieldOf[error.code] : undefined;
  if (!(error instanceof DomainError) || field === undefined) throw error;
  throw new ApiError('invalid_input', error.message, {
    fields: [{ name: field, messages: [error.message] }],
    details: { reason: error.code },
  });
}
