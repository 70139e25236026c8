import type { EntityManager } from 'typeorm';
import { mailNotResent } from './mail.errors.ts';
import type { MailTemplate } from './templates/index.ts';

/** Their links work for a time only, and who needs one asks for a new one. */
const WITH_LINKS: readonly MailTemplate[] = ['confirm-email', 'reset-password'];

/**
 * Queues a mail that was given up anew, as if it had been written now, with the Message-ID that it had. Who has a new
 * address by now gets it there.
 * @throws DomainError `mail_not_resent` when it was not given up, or its link has expired
 */
export async function resendMail(manager: EntityManager, mailId: number): Promise<void> {
  const [resent] = await manager.query<[unknown[], number]>(
    `UPDATE mails m SET given_up_at = NULL, due_at = now(), tries = 0, last_error = NULL,
            give_up_at = now() + (m.give_up_at - m.created_at),
            recipient = coalesce((SELECT a.email FROM accounts a WHERE a.id = m.account_id), m.recipient)
     WHERE m.id = $1 AND m.given_up_at IS NOT NULL AND m.template <> ALL ($2) RETURNING m.id`,
    [mailId, WITH_LINKS],
  );
  if (resent.length > 0) return;
  const [mail] = await manager.query<{ template: string; isGivenUp: boolean }[]>(
    'SELECT template, given_up_at IS NOT NULL AS "isGivenUp" FROM mails WHERE id = $1',
    [mailId],
  );
  if (!mail) throw mailNotResent(`there is no mail ${mailId}; see: servery mail lost`);
  if (!mail.isGivenUp)
    throw mailNotResent(`mail ${mailId} was not given up: it was sent, or waits for its turn`);
  throw mailNotResent(
    `the link in mail ${mailId} has expired; its reader asks for a new one on the sign-in page`,
  );
}
