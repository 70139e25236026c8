import type { PasswordDelivery } from '#libs/servers';
import type { Principal } from '../auth/principal.ts';

/** A program gets a new password in the answer; a person reveals it on the page, once. */
export function passwordDelivery(principal: Principal): PasswordDelivery {
  return principal.kind === 'token' ? 'answer' : 'reveal';
}
