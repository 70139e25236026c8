import { casesOf, type SagaCase } from './cases.ts';
import type { Fault } from './faults.ts';
import { runToEnd } from './run.ts';
import type { SagaScenario, SagaWorld, WorldAddress } from './scenario.ts';
import { Victim } from './victim.ts';

/** Tries one saga: give each of its cases to `run`. */
export class SagaHarness<W extends SagaWorld> {
  private address: WorldAddress | undefined;
  private world: W | undefined;
  private spare: Promise<Victim> | undefined;
  private killsLeft: number;

  /** `scenarioModule` is the URL of a module that exports `scenarios`, so that a child process finds this one. */
  constructor(
    private readonly scenario: SagaScenario<W>,
    private readonly scenarioModule: string,
    cases: readonly SagaCase[] = casesOf(scenario.definition),
  ) {
    this.killsLeft = cases.flatMap(({ kills }) => kills).length;
  }

  async open(): Promise<void> {
    this.address = await this.scenario.createWorld();
    this.world = await this.scenario.attach(this.address);
  }

  async close(): Promise<void> {
    const spare = await this.spare;
    spare?.dismiss();
    await this.world?.close();
    if (this.address) await this.scenario.destroyWorld(this.address);
  }

  /** @throws when the saga does not end as it has to, when something is left or missing, or when a fault never struck. */
  async run(sagaCase: SagaCase): Promise<void> {
    const { scenario } = this;
    const world = this.world as W;
    const { name } = scenario.definition;
    const sagaId = await scenario.start(world);
    const { faults, kills, operator } = sagaCase;
    for (const kill of kills) {
      const victim = await this.victim();
      await victim.die({ sagaId, faults: [...faults, kill] });
      await expireLease(world, sagaId);
    }
    const struck = new Set<Fault>();
    const planted = kills.length > 0 ? [] : faults;
    const ended = await runToEnd(world, name, sagaId, planted, { operator, struck });
    if (ended.state !== sagaCase.ends) {
      const why = ended.error ? `${ended.error.code}: ${ended.error.message}` : 'no error';
      throw new Error(`${name} ended ${ended.state} instead of ${sagaCase.ends} (${why})`);
    }
    const missed = planted.filter((fault) => !struck.has(fault));
    if (missed.length > 0) throw new Error(`these faults did not strike: ${JSON.stringify(missed)}`);
    if (ended.state === 'done') await scenario.assertDone(world, sagaId);
    else await scenario.assertCleanSlate(world, sagaId);
  }

  /** One is started ahead, as long as one more is going to be needed. */
  private victim(): Promise<Victim> {
    const start = () =>
      Victim.start(this.scenarioModule, this.scenario.definition.name, this.address as WorldAddress);
    const victim = this.spare ?? start();
    this.killsLeft -= 1;
    this.spare = this.killsLeft > 0 ? start() : undefined;
    return victim;
  }
}

/** The owner is dead for certain, so the harness need not sit out its lease. */
async function expireLease(world: SagaWorld, sagaId: number): Promise<void> {
  await world.dataSource.query(
    `UPDATE sagas SET lease_until = now() - interval '1 second' WHERE id = $1 AND lease_until IS NOT NULL`,
    [sagaId],
  );
}
