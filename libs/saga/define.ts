import type { z } from 'zod';
import {
  DEFAULT_RETRY,
  DEFAULT_TIMEOUT_SECONDS,
  type Doing,
  type GivingUp,
  type Looking,
  type SagaStep,
  type StepOptions,
  type Undoing,
  type WaitOptions,
} from './step.ts';

/**
 * What is needed to ask for a saga: its name and the schema of its parameters. A feature that only starts a
 * workflow declares this, and the workflow is built upon it.
 */
export interface SagaRequest<P> {
  readonly name: string;
  readonly params: z.ZodType<P>;
}

/** A whole workflow. `pointOfNoReturn` is the index of the first step after which nothing is taken back. */
export interface SagaDefinition<P, D> extends SagaRequest<P> {
  readonly steps: readonly SagaStep[];
  readonly pointOfNoReturn: number;
  /** Why there is no way back after it; empty when there is no such point. */
  readonly pointOfNoReturnReason: string;
  /** What an operator who gives up a saga that is stuck past that point makes of the steps before it. */
  readonly whenGivenUp: WhenGivenUp;
  /** Only carries the type of the dependencies. */
  readonly deps?: DepsType<D>;
}

/** `take_back`: they are undone all the same, nothing was handed over yet. `leave`: what they made stays. */
export type WhenGivenUp = 'take_back' | 'leave';

/** A definition with what its steps need: what the runner runs. */
export interface BoundSaga {
  readonly definition: SagaDefinition<never, never>;
  readonly deps: unknown;
}

export interface DepsType<D> {
  readonly accepts?: (deps: D) => void;
}

/** Names the type of the dependencies of a saga: `deps<ProvisionDeps>()`. */
export function deps<D>(): DepsType<D> {
  return {};
}

/**
 * Declares how a saga is asked for. `params` must describe plain JSON (no dates, no transforms): it is stored as
 * it was parsed, in clear, so a secret never belongs in it.
 */
export function sagaRequest<P>(name: string, params: z.ZodType<P>): SagaRequest<P> {
  return { name, params };
}

/** Opens the definition of a saga; steps follow in the order in which they run, `build()` closes it. */
export function saga<P, D>(request: SagaRequest<P>, _deps: DepsType<D>): SagaBuilder<P, D, object> {
  return new SagaBuilder<P, D, object>(request, []);
}

/** Gives a definition its dependencies, for the runner. */
export function withDeps<P, D>(definition: SagaDefinition<P, D>, dependencies: NoInfer<D>): BoundSaga {
  return { definition: definition as unknown as SagaDefinition<never, never>, deps: dependencies };
}

/** Steps that can be taken back: each has an undo, or says why it needs none. */
export class SagaBuilder<P, D, O> {
  private readonly request: SagaRequest<P>;
  private readonly steps: readonly SagaStep[];

  constructor(request: SagaRequest<P>, steps: readonly SagaStep[]) {
    this.request = request;
    this.steps = steps;
  }

  step<Name extends string, Out, Seen = void>(
    name: Name,
    spec: StepOptions & Doing<P, O, D, Out> & Undoing<P, O, D, NoInfer<Out>, Seen>,
  ): SagaBuilder<P, D, O & Record<Name, Out>> {
    return new SagaBuilder(this.request, [...this.steps, eraseStep(name, spec)]);
  }

  wait<Name extends string, Out, Seen = void>(
    name: Name,
    spec: WaitOptions & Looking<P, O, D, Out> & Undoing<P, O, D, NoInfer<Out>, Seen>,
  ): SagaBuilder<P, D, O & Record<Name, Out>> {
    return new SagaBuilder(this.request, [...this.steps, eraseWait(name, spec)]);
  }

  /** From here on the saga only goes forward: a failing step is tried until it passes or an operator helps. */
  pointOfNoReturn(why: string, whenGivenUp: WhenGivenUp = 'leave'): ForwardSagaBuilder<P, D, O> {
    return new ForwardSagaBuilder(this.request, this.steps, { index: this.steps.length, why, whenGivenUp });
  }

  build(): SagaDefinition<P, D> {
    return finish(this.request, this.steps, { index: this.steps.length, why: '', whenGivenUp: 'leave' });
  }
}

interface PointOfNoReturn {
  readonly index: number;
  readonly why: string;
  readonly whenGivenUp: WhenGivenUp;
}

/** Steps past the point of no return: they have no undo, but may say what is done when the saga is given up. */
export class ForwardSagaBuilder<P, D, O> {
  private readonly request: SagaRequest<P>;
  private readonly steps: readonly SagaStep[];
  private readonly point: PointOfNoReturn;

  constructor(request: SagaRequest<P>, steps: readonly SagaStep[], point: PointOfNoReturn) {
    this.request = request;
    this.steps = steps;
    this.point = point;
  }

  step<Name extends string, Out, Seen = void>(
    name: Name,
    spec: StepOptions & Doing<P, O, D, Out> & GivingUp<P, O, D, NoInfer<Out>, Seen>,
  ): ForwardSagaBuilder<P, D, O & Record<Name, Out>> {
    const { whenGivenUp = { noUndo: this.point.why }, ...rest } = spec;
    return this.with(eraseStep(name, { ...rest, ...whenGivenUp }));
  }

  wait<Name extends string, Out>(
    name: Name,
    spec: WaitOptions & Looking<P, O, D, Out>,
  ): ForwardSagaBuilder<P, D, O & Record<Name, Out>> {
    return this.with(eraseWait(name, { ...spec, noUndo: this.point.why }));
  }

  build(): SagaDefinition<P, D> {
    return finish(this.request, this.steps, this.point);
  }

  private with<Next>(step: SagaStep): ForwardSagaBuilder<P, D, Next> {
    return new ForwardSagaBuilder(this.request, [...this.steps, step], this.point);
  }
}

/** Forgets the types of a step; `SagaBuilder` has checked them. */
function eraseStep(name: string, spec: object): SagaStep {
  return { title: name, retry: DEFAULT_RETRY, timeoutSeconds: DEFAULT_TIMEOUT_SECONDS, ...spec, name };
}

function eraseWait(name: string, spec: object): SagaStep {
  const { deadlineSeconds, everySeconds, check, ...rest } = spec as WaitOptions & { check?: unknown };
  const looking = check === undefined ? {} : { do: check };
  return eraseStep(name, { ...rest, ...looking, wait: { deadlineSeconds, everySeconds } });
}

function finish<P, D>(
  request: SagaRequest<P>,
  steps: readonly SagaStep[],
  { index, why, whenGivenUp }: PointOfNoReturn,
): SagaDefinition<P, D> {
  if (steps.length === 0) throw new Error(`saga ${request.name} has no steps`);
  const names = new Set<string>();
  for (const { name } of steps) {
    if (names.has(name)) throw new Error(`saga ${request.name} has two steps named ${name}`);
    names.add(name);
  }
  return { ...request, steps, pointOfNoReturn: index, pointOfNoReturnReason: why, whenGivenUp };
}
