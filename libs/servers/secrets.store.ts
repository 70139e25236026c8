import { randomInt } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { runStatement, type Statement } from '#libs/database';
import type { EnvelopeCipher, SealedColumn } from '#libs/secrets';
import { ServersError } from './servers.errors.ts';

/**
 * `root_password` waits to be revealed to the owner; `pending_password` waits to be set in the guest and is destroyed
 * then; `host_key` is the private SSH host key until the guest has it; `user_data` is the owner's and may hold theirs;
 * `application` waits to be revealed: the secrets of what runs in the guest, which are `pending_application` before. Those
 * of a rescue system are there until its seed is written.
 */
export type SecretKind =
  | 'root_password'
  | 'pending_password'
  | 'host_key'
  | 'user_data'
  | 'application'
  | 'pending_application'
  | 'rescue_password'
  | 'rescue_host_key';

/** What is shown to an owner, once. */
type RevealedKind = 'root_password' | 'application';

/** Who asks for a password: an API client gets it in the answer, a person reveals it on a page. */
export type PasswordDelivery = 'answer' | 'reveal';

/** How long a generated password may wait to be revealed. */
const REVEAL_WITHIN_DAYS = 7;

/** How long a password that was given in the answer to an order is there for a repetition of it. */
const REPEAT_WITHIN_HOURS = 24;

/** Without the letters and digits that are mistaken for each other; 24 of these 56 are 139 bits. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789';
const PASSWORD_LENGTH = 24;

export type CredentialsState = 'none' | 'pending' | 'available' | 'revealed' | 'expired';

/** A new root password of 24 characters that survives any keyboard, shell and form. */
export function newPassword(): string {
  return Array.from({ length: PASSWORD_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}

/** Secrets of servers, sealed at rest under the envelope key and bound to their server and kind. */
export class SecretsStore {
  private readonly cipher: EnvelopeCipher;

  constructor(cipher: EnvelopeCipher) {
    this.cipher = cipher;
  }

  async put(manager: EntityManager, serverId: number, kind: SecretKind, plaintext: string): Promise<void> {
    await runStatement(manager, this.keeping(serverId, kind, plaintext));
  }

  /** Puts a secret in the place of the one before. */
  keeping(serverId: number, kind: SecretKind, plaintext: string): Statement {
    const days = kind === 'root_password' || kind === 'application' ? REVEAL_WITHIN_DAYS : null;
    return {
      text: `INSERT INTO server_secrets (server_id, kind, sealed, expires_at)
             VALUES ($1, $2, $3, now() + make_interval(days => $4::int))
             ON CONFLICT (server_id, kind) DO UPDATE
             SET sealed = excluded.sealed, created_at = now(), expires_at = excluded.expires_at, revealed_at = NULL`,
      values: [serverId, kind, this.cipher.seal(plaintext, contextOf(serverId, kind)), days],
    };
  }

  /** Keeps a password for the owner where they will reveal it, else the fact alone that they know it. */
  handingOver(serverId: number, password: string, delivery: PasswordDelivery): Statement[] {
    if (delivery === 'reveal') return [this.keeping(serverId, 'root_password', password)];
    return [this.keeping(serverId, 'root_password', ''), markingRevealed(serverId, 'root_password')];
  }

  /**
   * Keeps the password of an order like any other. One that its answer hands over counts as revealed, and stays, sealed,
   * for a client that lost the answer and repeats the order.
   */
  keepingOrdered(serverId: number, password: string, delivery: PasswordDelivery): Statement[] {
    const kept = [
      this.keeping(serverId, 'pending_password', password),
      this.keeping(serverId, 'root_password', password),
    ];
    return delivery === 'reveal' ? kept : [...kept, markingAnswered(serverId)];
  }

  /** What `keepingOrdered` keeps for a repetition; undefined once it has expired, or another password was set. */
  async readAnswered(manager: EntityManager, serverId: number): Promise<string | undefined> {
    const [row] = await manager.query<{ sealed: Buffer }[]>(
      `SELECT sealed FROM server_secrets WHERE server_id = $1 AND kind = 'root_password'
         AND revealed_at IS NOT NULL AND expires_at > now() AND sealed <> ''`,
      [serverId],
    );
    return row && this.cipher.open(row.sealed, contextOf(serverId, 'root_password'));
  }

  /** For the workflows; undefined when there is none, or it was destroyed or handed over. */
  async read(manager: EntityManager, serverId: number, kind: SecretKind): Promise<string | undefined> {
    const [row] = await manager.query<{ sealed: Buffer }[]>(
      `SELECT sealed FROM server_secrets WHERE server_id = $1 AND kind = $2 AND sealed <> ''`,
      [serverId, kind],
    );
    return row && this.cipher.open(row.sealed, contextOf(serverId, kind));
  }

  async destroy(manager: EntityManager, serverId: number, ...kinds: readonly SecretKind[]): Promise<void> {
    await manager.query(`DELETE FROM server_secrets WHERE server_id = $1 AND kind = ANY($2)`, [
      serverId,
      kinds,
    ]);
  }

  async destroyAll(manager: EntityManager, serverId: number): Promise<void> {
    await manager.query(`DELETE FROM server_secrets WHERE server_id = $1`, [serverId]);
  }

  /** A system from before `moment` does not know a password that was made later, so nobody is shown it. */
  async destroyPasswordsSince(manager: EntityManager, serverId: number, moment: Date): Promise<void> {
    await manager.query(
      `DELETE FROM server_secrets WHERE server_id = $1 AND kind = 'root_password' AND created_at > $2`,
      [serverId, moment],
    );
  }

  /**
   * Hands a secret over, once: what was sealed is destroyed in the same transaction.
   * @throws ServersError `credentials_not_there`, `credentials_gone`
   */
  async reveal(manager: EntityManager, serverId: number, kind: RevealedKind): Promise<string> {
    const [row] = await manager.query<{ sealed: Buffer; gone: boolean }[]>(
      `SELECT sealed, revealed_at IS NOT NULL OR expires_at < now() AS gone FROM server_secrets
       WHERE server_id = $1 AND kind = $2 FOR UPDATE`,
      [serverId, kind],
    );
    const { name, instead } = WORDS[kind];
    if (!row) throw nothingToReveal(kind);
    if (row.gone) {
      throw new ServersError(
        'credentials_gone',
        `the ${name} was revealed before, or has waited too long; ${instead}`,
      );
    }
    await runStatement(manager, markingRevealed(serverId, kind));
    return this.cipher.open(row.sealed, contextOf(serverId, kind));
  }

  /** Destroys passwords that nobody fetched in time. Returns how many. */
  async expire(manager: EntityManager): Promise<number> {
    const [, count] = await manager.query<[unknown[], number]>(
      `UPDATE server_secrets SET sealed = '' WHERE expires_at < now() AND sealed <> ''`,
    );
    return count;
  }
}

const WORDS: Readonly<Record<RevealedKind, { name: string; instead: string }>> = {
  root_password: { name: 'password', instead: 'reset it to get a new one' },
  application: { name: 'secret of the application', instead: 'set a new one in the server' },
};

export const sealedServerSecrets: SealedColumn = {
  table: 'server_secrets',
  column: 'sealed',
  key: ['server_id', 'kind'],
  contextOf,
};

/** Nothing of the kind waits for the owner of a server. */
export function nothingToReveal(kind: RevealedKind): ServersError {
  return new ServersError('credentials_not_there', `this server has no ${WORDS[kind].name} to reveal`);
}

/** Keeps the fact that a secret was handed over and forgets the secret. */
function markingRevealed(serverId: number, kind: RevealedKind): Statement {
  return {
    text: `UPDATE server_secrets SET revealed_at = now(), sealed = '' WHERE server_id = $1 AND kind = $2`,
    values: [serverId, kind],
  };
}

function markingAnswered(serverId: number): Statement {
  return {
    text: `UPDATE server_secrets SET revealed_at = now(), expires_at = now() + make_interval(hours => $2)
           WHERE server_id = $1 AND kind = 'root_password'`,
    values: [serverId, REPEAT_WITHIN_HOURS],
  };
}

function contextOf(serverId: number | string, kind: string): string {
  return `server:${serverId}:${kind}`;
}
