import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type Account, ProjectsService, type Suspension, standingSuspensions } from '#libs/accounts';
import type { AccountWire, SuspensionWire } from '#libs/contracts';
import { accountUsage } from '#libs/orders';
import { CardsService, type SavedCard } from '#libs/payments';
import { volumeGibOf } from '#libs/volumes';
import { mibToGib, wireTime } from '../http/wire.ts';

@Injectable()
export class AccountPresenter {
  constructor(
    private readonly projects: ProjectsService,
    private readonly cards: CardsService,
    private readonly dataSource: DataSource,
  ) {}

  async present(account: Account): Promise<AccountWire> {
    const [projects, cards, usage, volumeGib, suspensions] = await Promise.all([
      this.projects.list(account.id),
      this.cards.list(account.id),
      accountUsage(this.dataSource.manager, account.id),
      volumeGibOf(this.dataSource.manager, account.id),
      standingSuspensions(this.dataSource.manager, account.id),
    ]);
    const card = cards.find(({ isDefault }) => isDefault);
    return {
      id: account.id,
      email: account.email,
      name: account.name,
      role: account.role,
      email_confirmed: account.emailConfirmedAt !== null,
      limits: {
        servers: account.maxServers,
        vcpus: account.maxVcpus,
        memory_gb: mibToGib(account.maxMemoryMib),
        volume_gb: account.maxVolumeGib,
      },
      usage: {
        servers: usage.servers,
        vcpus: usage.vcpus,
        memory_gb: mibToGib(usage.memoryMib),
        volume_gb: volumeGib,
      },
      projects: projects.map(({ id, name }) => ({ id, name })),
      card: card ? presentCard(card) : null,
      suspensions: suspensions.map(presentSuspension),
    };
  }
}

export function presentSuspension({ reason, note, since }: Suspension): SuspensionWire {
  return { reason, note, since: wireTime(since) };
}

function presentCard({ brand, last4, expiryMonth, expiryYear }: SavedCard): NonNullable<AccountWire['card']> {
  return { brand, last4, exp_month: expiryMonth, exp_year: expiryYear };
}
