/** What the simulation did, in its own words: the judge asks these, and not the books, what was had. */

/** Moments are milliseconds of Unix time. */
export type Moment = number;

export type UsageAct =
  | { readonly what: 'open'; readonly at: Moment; readonly type: string }
  | { readonly what: 'resize'; readonly at: Moment; readonly type: string }
  | { readonly what: 'stop' | 'start' | 'close'; readonly at: Moment }
  | { readonly what: 'keep'; readonly at: Moment; readonly slot: string; readonly gib: number }
  | { readonly what: 'drop'; readonly at: Moment; readonly slot: string };

/** A server with all that happens to it, in order, a second or more apart. */
export interface ServerLife {
  readonly serverId: number;
  readonly name: string;
  readonly customer: number;
  readonly image: string;
  readonly acts: readonly UsageAct[];
}

/** How a customer pays. */
export type CustomerKind =
  | 'good_card'
  | 'declined_later'
  | 'disputing_card'
  | 'replaced_card'
  | 'no_card'
  | 'prepaid'
  | 'recharged'
  | 'terms';

export interface Customer {
  readonly accountId: number;
  readonly kind: CustomerKind;
  readonly country: string | null;
  readonly vatId: string | null;
}

export interface PriceChange {
  readonly item: string;
  /** A whole second. */
  readonly from: Moment;
  readonly toldAt: Moment;
  readonly hourlyMicro: number;
}

/** Money that the simulation knows of by itself, by the account. */
export class MoneyRecord {
  readonly creditNotesMinor = new Map<number, number>();
  readonly givenMinor = new Map<number, number>();
  /** Disputes at the provider that nobody has decided. */
  readonly openDisputes: string[] = [];
  refunds = 0;
  disputes = 0;
  topUps = 0;
  promotions = 0;
  failedRefunds = 0;
  failedPayouts = 0;

  note(accountId: number, amountMinor: number): void {
    this.refunds += 1;
    this.#add(this.creditNotesMinor, accountId, amountMinor);
  }

  give(accountId: number, amountMinor: number): void {
    this.promotions += 1;
    this.#add(this.givenMinor, accountId, amountMinor);
  }

  #add(sums: Map<number, number>, accountId: number, amountMinor: number): void {
    sums.set(accountId, (sums.get(accountId) ?? 0) + amountMinor);
  }
}
