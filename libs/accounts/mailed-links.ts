import type { EntityManager } from 'typeorm';
import { newId } from '#libs/kernel';
import { type SealedText, sealText } from '#libs/mail';
import type { EnvelopeCipher } from '#libs/secrets';
import { AccountsError } from './accounts.errors.ts';
import { hashToken, newToken } from './secret-token.ts';

export type LinkPurpose = 'confirm_email' | 'reset_password';

const VALID_SECONDS: Readonly<Record<LinkPurpose, number>> = {
  confirm_email: 24 * 3600,
  reset_password: 3600,
};

/** A link that was made. Its token leaves by mail alone: at rest it is sealed there, and a hash here. */
export interface MailedLink {
  readonly id: number;
  readonly token: SealedText;
  readonly validSeconds: number;
}

/** Makes a link; those made before it for the same purpose stay good until one of them is used. */
export async function makeLink(
  manager: EntityManager,
  cipher: EnvelopeCipher,
  { accountId, purpose }: { readonly accountId: number; readonly purpose: LinkPurpose },
): Promise<MailedLink> {
  const id = newId();
  const token = newToken();
  const validSeconds = VALID_SECONDS[purpose];
  await manager.query('DELETE FROM mailed_links WHERE expires_at < now()');
  await manager.query(
    `INSERT INTO mailed_links (id, token_hash, account_id, purpose, expires_at)
     VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5))`,
    [id, hashToken(token), accountId, purpose, validSeconds],
  );
  return { id, token: sealText(cipher, token, `mailed_link:${id}`), validSeconds };
}

/**
 * Uses a link, and with it all that its account has for the same purpose.
 * @returns the account's id
 * @throws AccountsError `link_gone`
 */
export async function useLink(manager: EntityManager, purpose: LinkPurpose, token: string): Promise<number> {
  const [used] = await manager.query<[{ accountId: number }[], number]>(
    `DELETE FROM mailed_links WHERE token_hash = $1 AND purpose = $2 AND expires_at > now()
     RETURNING account_id AS "accountId"`,
    [hashToken(token), purpose],
  );
  const accountId = used[0]?.accountId;
  if (accountId === undefined) throw linkGone();
  await manager.query('DELETE FROM mailed_links WHERE account_id = $1 AND purpose = $2', [
    accountId,
    purpose,
  ]);
  return accountId;
}

/** Looks before slow work is done for a link; what counts is {@link useLink}. @throws AccountsError `link_gone` */
export async function assertLinkIsGood(
  manager: EntityManager,
  purpose: LinkPurpose,
  token: string,
): Promise<void> {
  const found: unknown[] = await manager.query(
    'SELECT id FROM mailed_links WHERE token_hash = $1 AND purpose = $2 AND expires_at > now()',
    [hashToken(token), purpose],
  );
  if (found.length === 0) throw linkGone();
}

function linkGone(): AccountsError {
  return new AccountsError('link_gone', 'this link has been used or is too old; ask for a new one');
}
