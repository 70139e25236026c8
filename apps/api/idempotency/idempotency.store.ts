import { createHmac, randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ENVIRONMENT, type Environment, secretKeys } from '#libs/config';
import { newId, sleep } from '#libs/kernel';
import { EnvelopeCipher } from '#libs/secrets';
import { ApiError } from '../http/api-error.ts';

/** A handler that has not answered by then is taken for dead, and the next request with its key goes on. */
const CLAIM_SECONDS = 60;
const KEEP_HOURS = 24;
const FIRST_PAUSE_MILLISECONDS = 25;
const LONGEST_PAUSE_MILLISECONDS = 400;

export interface IdempotentRequest {
  /** Whose key it is: the same key of another token is another key. */
  readonly scope: string;
  readonly key: string;
  /** Method, path and body: what must be the same when the key is. */
  readonly content: string;
}

/** What is answered again. */
export interface KeptAnswer {
  readonly body: unknown;
  readonly setCookie: string | string[] | null;
}

/** The right to handle a request; `resourceId` is the id of what it creates, the same on every repetition. */
export interface Claim {
  readonly claimId: string;
  readonly resourceId: number;
  readonly context: string;
}

interface KeyRow {
  fingerprint: Buffer;
  answer: Buffer | null;
}

/** Remembers, in PostgreSQL, what was answered to each idempotency key. Answers are sealed. */
@Injectable()
export class IdempotencyStore {
  constructor(
    private readonly dataSource: DataSource,
    private readonly cipher: EnvelopeCipher,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  /**
   * Claims the request, or waits for the answer of the one that has claimed it.
   * @throws ApiError `idempotency_conflict` when the key was used for another request, `locked` when the other
   *   one takes too long.
   */
  async claimOrAnswer(request: IdempotentRequest): Promise<Claim | KeptAnswer> {
    const fingerprints = this.fingerprintsOf(request);
    const context = `idempotency:${request.scope}:${request.key}`;
    const deadline = Date.now() + CLAIM_SECONDS * 1000;
    for (let pause = FIRST_PAUSE_MILLISECONDS; Date.now() < deadline; pause *= 2) {
      const claim = await this.tryClaim(request, fingerprints);
      if (claim) return { ...claim, context };
      const row = await this.find(request);
      if (row && !fingerprints.some((one) => row.fingerprint.equals(one))) throw conflict();
      if (row?.answer) return JSON.parse(this.cipher.open(row.answer, context)) as KeptAnswer;
      await sleep(Math.min(pause, LONGEST_PAUSE_MILLISECONDS) * (0.5 + Math.random()));
    }
    throw new ApiError('locked', 'the first request with this Idempotency-Key is still being handled');
  }

  async keep(claim: Claim, answer: KeptAnswer): Promise<void> {
    const sealed = this.cipher.seal(JSON.stringify(answer), claim.context);
    await this.dataSource.query('UPDATE idempotency_keys SET answer = $2, claim = NULL WHERE claim = $1', [
      claim.claimId,
      sealed,
    ]);
  }

  /** After a refusal, which changed nothing: the key is free again. */
  async forget(claim: Claim): Promise<void> {
    await this.dataSource.query('DELETE FROM idempotency_keys WHERE claim = $1', [claim.claimId]);
  }

  /** After a failure that may have left something behind: the next one goes on with the same resource id. */
  async release(claim: Claim): Promise<void> {
    await this.dataSource.query(
      'UPDATE idempotency_keys SET claim = NULL, claimed_until = now() WHERE claim = $1',
      [claim.claimId],
    );
  }

  private async tryClaim(
    { scope, key }: IdempotentRequest,
    fingerprints: readonly Buffer[],
  ): Promise<Omit<Claim, 'context'> | undefined> {
    const claimId = randomUUID();
    const rows: { resource_id: number }[] = await this.dataSource.query(
      `INSERT INTO idempotency_keys AS k (scope, key, fingerprint, resource_id, claim, claimed_until, expires_at)
       VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6), now() + make_interval(hours => $7))
       ON CONFLICT (scope, key) DO UPDATE SET
         claim = excluded.claim,
         claimed_until = excluded.claimed_until,
         expires_at = excluded.expires_at,
         answer = NULL,
         fingerprint = excluded.fingerprint,
         resource_id = CASE WHEN k.expires_at < now() THEN excluded.resource_id ELSE k.resource_id END
       WHERE k.expires_at < now()
          OR (k.answer IS NULL AND k.claimed_until <= now() AND k.fingerprint = ANY($8))
       RETURNING resource_id`,
      [scope, key, fingerprints[0], newId(), claimId, CLAIM_SECONDS, KEEP_HOURS, fingerprints],
    );
    const row = rows[0];
    return row && { claimId, resourceId: row.resource_id };
  }

  private async find({ scope, key }: IdempotentRequest): Promise<KeyRow | undefined> {
    const rows: KeyRow[] = await this.dataSource.query(
      'SELECT fingerprint, answer FROM idempotency_keys WHERE scope = $1 AND key = $2',
      [scope, key],
    );
    return rows[0];
  }

  /**
   * Keyed, because a body may hold a password that a plain hash would let anybody with the table guess. Under the present
   * key first: with a former one it may be known from before.
   */
  private fingerprintsOf({ content }: IdempotentRequest): readonly Buffer[] {
    return secretKeys(this.environment).map((key) =>
      createHmac('sha256', `idempotency:${key.toString('base64')}`)
        .update(content)
        .digest(),
    );
  }
}

export function isClaim(result: Claim | KeptAnswer): result is Claim {
  return 'claimId' in result;
}

function conflict(): ApiError {
  return new ApiError(
    'idempotency_conflict',
    'this Idempotency-Key was used for another request; take a new one',
  );
}
