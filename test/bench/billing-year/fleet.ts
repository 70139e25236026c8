import type { DataSource, EntityManager } from 'typeorm';
import {
  changePrice,
  closeServer,
  closeUsage,
  openServer,
  openUsage,
  type PriceItem,
  resizeServer,
  startServer,
  stopServer,
} from '#libs/billing';
import { runInTransaction } from '#libs/database';
import type { Plan } from './plan.ts';
import type { Customer, PriceChange, ServerLife, UsageAct } from './record.ts';

/** Servers that are told of side by side. */
const AT_ONCE = 4;

/** Tells the books what happens to servers, and to prices, as the rest of Servery would, by the day. */
export class Fleet {
  readonly #acts: Map<number, Map<ServerLife, UsageAct[]>>;
  readonly #running = new Set<number>();
  told = 0;

  constructor(
    private readonly dataSource: DataSource,
    private readonly plan: Plan,
    private readonly dayOf: (at: number) => number,
  ) {
    this.#acts = new Map();
    for (const server of plan.servers) {
      for (const act of server.acts) {
        const day = this.#acts.get(dayOf(act.at)) ?? new Map<ServerLife, UsageAct[]>();
        this.#acts.set(dayOf(act.at), day);
        day.set(server, [...(day.get(server) ?? []), act]);
      }
    }
  }

  /** What happens on a day: in order for each server, and in no order among them. */
  async tell(day: number): Promise<void> {
    for (const change of this.plan.prices.filter(({ toldAt }) => this.dayOf(toldAt) === day)) {
      await this.#price(change);
    }
    const servers = (this.#acts.get(day) ?? new Map<ServerLife, UsageAct[]>()).entries();
    const work = async () => {
      for (const [server, acts] of servers) for (const act of acts) await this.#act(server, act);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  async #price({ item, from, toldAt, hourlyMicro }: PriceChange): Promise<void> {
    const change = { item: item as PriceItem, hourlyMicro };
    const when = { effectiveFrom: new Date(from), now: new Date(toldAt) };
    await runInTransaction(this.dataSource, (manager) => changePrice(manager, { ...change, ...when }));
  }

  async #act(server: ServerLife, act: UsageAct): Promise<void> {
    await runInTransaction(this.dataSource, (manager) => this.#tellAct(manager, server, act));
    if (act.what === 'open' || act.what === 'start') this.#running.add(server.serverId);
    if (act.what === 'stop' || act.what === 'close') this.#running.delete(server.serverId);
    this.told += 1;
  }

  async #tellAct(manager: EntityManager, server: ServerLife, act: UsageAct): Promise<void> {
    const { serverId } = server;
    const at = new Date(act.at);
    const subscriber = this.#subscriber(server);
    switch (act.what) {
      case 'open': {
        const names = { serverTypeName: act.type, imageName: server.image };
        return openServer(manager, { ...subscriber, ...names, isRunning: true }, at);
      }
      case 'resize': {
        const isRunning = this.#running.has(serverId);
        return resizeServer(manager, serverId, { serverTypeName: act.type, isRunning }, at);
      }
      case 'stop':
        return stopServer(manager, serverId, at);
      case 'start':
        return startServer(manager, serverId, at);
      case 'keep':
        return openUsage(
          manager,
          subscriber,
          [{ item: 'snapshot/gib', slot: act.slot, quantity: act.gib }],
          at,
        );
      case 'drop':
        return closeUsage(manager, serverId, { part: { component: 'snapshot', slot: act.slot }, at });
      case 'close':
        return closeServer(manager, serverId, at);
    }
  }

  #subscriber({ serverId, name, customer }: ServerLife) {
    const { accountId } = this.plan.customers[customer] as Customer;
    return { accountId, projectId: 1, serverId, serverName: name, currency: 'eur' };
  }
}
