import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SagaDefinition } from '../define.ts';
import type { SagaStep } from '../step.ts';
import { decide, type Move, type Position, type TryResult } from './decide.ts';
import { naturalPace } from './pace.ts';

type Sort = 'outside' | 'inside' | 'bare' | 'wait';

function stepOf(sort: Sort, index: number): SagaStep {
  const retry = { tries: 3, firstSeconds: 1, maxSeconds: 4 };
  const base = { name: `s${index}`, title: `s${index}`, retry, timeoutSeconds: 1 };
  const act = async () => undefined;
  if (sort === 'inside') return { ...base, transact: act, undoTransact: act };
  if (sort === 'outside') return { ...base, do: act, undo: act };
  const bare = { ...base, do: act, noUndo: 'nothing made' };
  return sort === 'wait' ? { ...bare, wait: { deadlineSeconds: 100, everySeconds: 1 } } : bare;
}

const sagas = fc
  .array(fc.constantFrom<Sort>('outside', 'inside', 'bare', 'wait'), { minLength: 1, maxLength: 6 })
  .chain((sorts) =>
    fc.record({
      steps: fc.constant(sorts.map(stepOf)),
      pointOfNoReturn: fc.integer({ min: 0, max: sorts.length }),
      whenGivenUp: fc.constantFrom('take_back', 'leave'),
    }),
  );

/** What each try in turn meets; when the schedule is used up, everything works. */
const schedules = fc.array(fc.constantFrom('works', 'transient', 'permanent', 'not_yet', 'undo please'), {
  maxLength: 40,
});

/** Runs the state machine against a world in which every step makes one thing and every undo takes it away. */
function play(
  saga: Pick<SagaDefinition<never, never>, 'steps' | 'pointOfNoReturn' | 'whenGivenUp'>,
  schedule: string[],
) {
  const world = new Set<string>();
  let at: Position = {
    state: 'running',
    direction: 'do',
    step: '',
    outputs: {},
    tries: 1,
    error: null,
    undoRequested: null,
    stepSeconds: 0,
  };
  for (let turns = 0; turns < 1000; turns += 1) {
    const event = schedule[turns] ?? 'works';
    const step = saga.steps.find(({ name }) => name === at.step) ?? (saga.steps[0] as SagaStep);
    if (event === 'undo please' && saga.steps.indexOf(step) < saga.pointOfNoReturn && at.direction === 'do') {
      at = { ...at, undoRequested: { code: 'undo_requested', message: '' } };
    }
    const result = resultOf(event, step, at);
    touch(world, step, at, result);
    const move: Move = decide(saga, at, result, naturalPace);
    if (move.state === 'done' || move.state === 'undone') return { move, world };
    const tries = move.sleepSeconds === null ? move.tries : move.tries + 1;
    at = { ...at, ...move, tries };
  }
  throw new Error('the saga never ends');
}

function resultOf(event: string, step: SagaStep, at: Position): TryResult {
  if (event === 'not_yet' && step.wait && at.direction === 'do') return { kind: 'not_yet' };
  if (event !== 'transient' && event !== 'permanent') return { kind: 'succeeded', output: {} };
  return { kind: 'failed', error: { code: event, message: '' }, permanent: event === 'permanent' };
}

/** A step outside may have made its thing and failed all the same; a step inside has not. */
function touch(world: Set<string>, step: SagaStep, at: Position, result: TryResult): void {
  if (at.direction === 'do') {
    if (result.kind === 'succeeded' || (result.kind === 'failed' && step.do && step.undo))
      world.add(step.name);
  } else if (result.kind === 'succeeded') world.delete(step.name);
}

describe('the state machine of a saga', () => {
  it('ends done with every effect or undone with none that can be undone, whatever fails', () => {
    fc.assert(
      fc.property(sagas, schedules, (saga, schedule) => {
        const { move, world } = play(saga, schedule);
        const undoable = saga.steps.filter((step) => step.undo || step.undoTransact).map(({ name }) => name);
        const left = undoable.filter((name) => world.has(name));
        expect(left).toEqual(move.state === 'done' ? undoable : []);
        expect(move.sleepSeconds).toBeNull();
        if (move.state === 'undone') expect(move.error).not.toBeNull();
      }),
      { numRuns: 2000 },
    );
  });

  it('never turns back past the point of no return', () => {
    fc.assert(
      fc.property(sagas, schedules, (saga, schedule) => {
        fc.pre(saga.pointOfNoReturn === 0);
        expect(play(saga, schedule).move.state).toBe('done');
      }),
      { numRuns: 500 },
    );
  });
});
