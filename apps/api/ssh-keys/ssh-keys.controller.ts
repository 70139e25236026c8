import { Body, Controller, Delete, Get, Param, Post, Put, Query } from '@nestjs/common';
import type { z } from 'zod';
import { type SshKey, SshKeysService } from '#libs/accounts';
import {
  byId,
  type CreateSshKey,
  createSshKey,
  type SshKeyWire,
  sshKeyListQuery,
  sshKeyListResponse,
  sshKeyResponse,
  updateSshKey,
} from '#libs/contracts';
import { ProjectId } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { ResourceId } from '../idempotency/idempotency.interceptor.ts';

@Controller('v1/ssh_keys')
export class SshKeysController {
  constructor(private readonly keys: SshKeysService) {}

  @Get()
  @Endpoint({ summary: 'List SSH keys', access: 'read', response: sshKeyListResponse })
  async list(
    @ProjectId() projectId: number,
    @Query({ schema: sshKeyListQuery }) parsed: z.output<typeof sshKeyListQuery>,
  ) {
    const query = toListQuery(parsed);
    const page = await this.keys.list(projectId, query);
    return { ssh_keys: page.items.map(presentSshKey), meta: metaOf(query, page) };
  }

  @Post()
  @Endpoint({
    summary: 'Add an SSH key',
    audit: 'ssh_key.create',
    access: 'write',
    response: sshKeyResponse,
    status: 201,
    idempotent: true,
  })
  async create(
    @ProjectId() projectId: number,
    @ResourceId() id: number,
    @Body({ schema: createSshKey }) body: CreateSshKey,
  ) {
    const { name, public_key: publicKey, labels = {} } = body;
    return { ssh_key: presentSshKey(await this.keys.create(projectId, { id, name, publicKey, labels })) };
  }

  @Get(':id')
  @Endpoint({ summary: 'Get an SSH key', access: 'read', response: sshKeyResponse })
  async get(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: z.output<typeof byId>) {
    return { ssh_key: presentSshKey(await this.keys.get(projectId, id)) };
  }

  @Put(':id')
  @Endpoint({
    summary: 'Rename or relabel an SSH key',
    audit: 'ssh_key.update',
    access: 'write',
    response: sshKeyResponse,
  })
  async update(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: z.output<typeof byId>,
    @Body({ schema: updateSshKey }) body: z.output<typeof updateSshKey>,
  ) {
    return { ssh_key: presentSshKey(await this.keys.update(projectId, id, body)) };
  }

  @Delete(':id')
  @Endpoint({
    summary: 'Delete an SSH key; servers that have it keep it',
    audit: 'ssh_key.delete',
    access: 'write',
  })
  async delete(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: z.output<typeof byId>) {
    await this.keys.delete(projectId, id);
  }
}

function presentSshKey(key: SshKey): SshKeyWire {
  return {
    id: key.id,
    name: key.name,
    fingerprint: key.fingerprint,
    public_key: key.publicKey,
    labels: key.labels,
    created: key.createdAt.toISOString(),
  };
}
