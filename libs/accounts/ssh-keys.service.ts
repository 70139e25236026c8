import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import { isUniqueViolation } from '#libs/database';
import { type ListQuery, type Page, pageOf } from '#libs/listing';
import { AccountsError, notFound } from './accounts.errors.ts';
import { MOST, tooMany } from './caps.ts';
import { SshKey } from './ssh-key.entity.ts';
import { parseSshPublicKey } from './ssh-public-key.ts';

const columns = {
  id: 'key.id',
  labels: 'key.labels',
  filters: { name: 'key.name', fingerprint: 'key.fingerprint' },
  sorts: { id: 'key.id', name: 'key.name' },
};

export interface NewSshKey {
  readonly id: number;
  readonly name: string;
  readonly publicKey: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface SshKeyChange {
  readonly name?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

@Injectable()
export class SshKeysService {
  constructor(private readonly dataSource: DataSource) {}

  list(projectId: number, query: ListQuery): Promise<Page<SshKey>> {
    const keys = this.keys.createQueryBuilder('key').where('key.projectId = :projectId', { projectId });
    return pageOf(keys, query, columns);
  }

  /** @throws AccountsError `ssh_key_not_found`, also for another project's key. */
  async get(projectId: number, id: number): Promise<SshKey> {
    const key = await this.keys.findOneBy({ id, projectId });
    if (!key) throw notFound('ssh_key_not_found', 'SSH key', id);
    return key;
  }

  /**
   * Repeating it with the same `id` creates one key.
   * @throws AccountsError `ssh_key_invalid`, `ssh_key_name_taken`, `ssh_key_fingerprint_taken`, `too_many`
   */
  async create(projectId: number, input: NewSshKey): Promise<SshKey> {
    const { normalized, fingerprint } = parseSshPublicKey(input.publicKey);
    // `ON CONFLICT (id)`, and not TypeORM's `orIgnore`, which would pass over a key that is there already as well.
    await this.dataSource
      .query(
        `INSERT INTO ssh_keys (id, project_id, name, fingerprint, public_key, labels)
         SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT count(*) FROM ssh_keys WHERE project_id = $2) < $7
         ON CONFLICT (id) DO NOTHING`,
        [input.id, projectId, input.name, fingerprint, normalized, input.labels, MOST.sshKeys],
      )
      .catch(throwTaken);
    const key = await this.keys.findOneBy({ id: input.id, projectId });
    if (!key) throw tooMany('a project', MOST.sshKeys, 'SSH keys');
    return key;
  }

  /** @throws AccountsError `ssh_key_not_found`, `ssh_key_name_taken` */
  async update(projectId: number, id: number, change: SshKeyChange): Promise<SshKey> {
    const { name, labels } = change;
    const changed = { ...(name !== undefined && { name }), ...(labels && { labels: { ...labels } }) };
    if (Object.keys(changed).length > 0) {
      await this.keys.update({ id, projectId }, changed).catch(throwTaken);
    }
    return this.get(projectId, id);
  }

  /** @throws AccountsError `ssh_key_not_found` */
  async delete(projectId: number, id: number): Promise<void> {
    const { affected } = await this.keys.delete({ id, projectId });
    if (affected !== 1) throw notFound('ssh_key_not_found', 'SSH key', id);
  }

  /**
   * The keys that an order names by id or name, each once, in the order given.
   * @throws AccountsError `ssh_keys_unknown` when one is not of this project.
   */
  async resolve(projectId: number, idsOrNames: readonly string[]): Promise<SshKey[]> {
    if (idsOrNames.length === 0) return [];
    const ids = idsOrNames.filter((text) => /^[1-9]\d{0,15}$/.test(text)).map(Number);
    const found = await this.keys.find({
      where: [
        { projectId, name: In([...idsOrNames]) },
        { projectId, id: In(ids) },
      ],
    });
    const keys = idsOrNames.map((text) => {
      const key = found.find(({ id }) => String(id) === text) ?? found.find(({ name }) => name === text);
      if (!key) throw new AccountsError('ssh_keys_unknown', `there is no SSH key "${text}"`, 'ssh_keys');
      return key;
    });
    return [...new Set(keys)];
  }

  private get keys() {
    return this.dataSource.getRepository(SshKey);
  }
}

function throwTaken(error: unknown): never {
  if (isUniqueViolation(error, 'ssh_keys_name')) {
    throw new AccountsError('ssh_key_name_taken', 'an SSH key of this project has this name', 'name');
  }
  if (isUniqueViolation(error, 'ssh_keys_fingerprint')) {
    throw new AccountsError(
      'ssh_key_fingerprint_taken',
      'this project has this SSH key already',
      'public_key',
    );
  }
  throw error;
}
