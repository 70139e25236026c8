import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type Account, ProjectsService } from '#libs/accounts';
import type { AccountWire } from '#libs/contracts';
import { accountUsage } from '#libs/orders';

const MIB_PER_GIB = 1024;

@Injectable()
export class AccountPresenter {
  constructor(
    private readonly projects: ProjectsService,
    private readonly dataSource: DataSource,
  ) {}

  async present(account: Account): Promise<AccountWire> {
    const [projects, usage] = await Promise.all([
      this.projects.list(account.id),
      accountUsage(this.dataSource.manager, account.id),
    ]);
    return {
      id: account.id,
      email: account.email,
      name: account.name,
      role: account.role,
      limits: {
        servers: account.maxServers,
        vcpus: account.maxVcpus,
        memory_gb: account.maxMemoryMib / MIB_PER_GIB,
      },
      usage: { servers: usage.servers, vcpus: usage.vcpus, memory_gb: usage.memoryMib / MIB_PER_GIB },
      projects: projects.map(({ id, name }) => ({ id, name })),
      card: null,
    };
  }
}
