import type { DataSource } from 'typeorm';
import type { BoundSaga, SagaDefinition } from '../define.ts';
import type { SagaObserver } from '../observer.ts';

/** Where a world is, so that another process finds it: database URLs, folders, ports. */
export type WorldAddress = Readonly<Record<string, string>>;

/** Everything that the sagas of one process touch. */
export interface SagaWorld {
  readonly dataSource: DataSource;
  readonly sagas: readonly BoundSaga[];
  readonly observers?: readonly SagaObserver[];
  close(): Promise<void>;
}

/** One saga, and how the harness tries it. `W` may carry whatever the assertions need. */
export interface SagaScenario<W extends SagaWorld = SagaWorld> {
  readonly definition: SagaDefinition<never, never>;
  /** Makes the outside world; it must outlive the processes that are killed in it. */
  createWorld(): Promise<WorldAddress>;
  destroyWorld(address: WorldAddress): Promise<void>;
  /** Connects this process to the world: called by the test, and by each child that is going to be killed. */
  attach(address: WorldAddress): Promise<W>;
  /** Starts one saga with parameters of its own; the harness runs it. */
  start(world: W): Promise<number>;
  /** @throws unless everything is there exactly once. Then takes it away, so that the next slate is clean. */
  assertDone(world: W, sagaId: number): Promise<void>;
  /** @throws when anything is left of a saga that was undone. */
  assertCleanSlate(world: W, sagaId: number): Promise<void>;
}

/** Forgets the types of a definition's parameters and dependencies. */
export function anyDefinition<P, D>(definition: SagaDefinition<P, D>): SagaDefinition<never, never> {
  return definition as unknown as SagaDefinition<never, never>;
}

/** @throws Error naming each saga that no scenario tries, so that a saga without a harness fails the build. */
export function assertAllSagasCovered(
  definitions: readonly { readonly name: string }[],
  scenarios: readonly { readonly definition: { readonly name: string } }[],
): void {
  const tried = new Set(scenarios.map(({ definition }) => definition.name));
  const missing = definitions.map(({ name }) => name).filter((name) => !tried.has(name));
  if (missing.length > 0) throw new Error(`not in the saga harness: ${missing.join(', ')}`);
}
