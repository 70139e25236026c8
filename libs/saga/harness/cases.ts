import type { SagaDefinition } from '../define.ts';
import type { SagaDirection } from '../saga.record.ts';
import type { SagaStep } from '../step.ts';
import type { Fault, FaultKind, Moment } from './faults.ts';

/** One way in which a saga is tried, and how it has to end. */
export interface SagaCase {
  readonly title: string;
  readonly faults: readonly Fault[];
  readonly ends: 'done' | 'undone';
  /** What the operator does should it get stuck. */
  readonly operator: 'resumes' | 'gives up';
  /** The faults strike in a child process, which they kill; this process takes over. */
  readonly inChild: boolean;
}

type Definition = Pick<SagaDefinition<never, never>, 'steps' | 'pointOfNoReturn' | 'whenGivenUp'>;

/**
 * Every case of a saga: straight, each step twice, failing at each moment and killed at each after its effect, each undo
 * likewise; and given up at each step past the point of no return, where that takes everything back.
 */
export function casesOf(definition: Definition): SagaCase[] {
  const reversible = definition.steps.slice(0, definition.pointOfNoReturn);
  return [
    { title: 'straight', faults: [], ends: 'done', operator: 'resumes', inChild: false },
    ...definition.steps.flatMap((step, index) => doCases(step, index < definition.pointOfNoReturn)),
    ...undoCases(reversible),
    ...givenUpCases(definition),
  ];
}

function doCases(step: SagaStep, reversible: boolean): SagaCase[] {
  const last: Moment = step.transact ? 'recording' : 'after';
  const moments = momentsOf(step);
  const one = (kind: FaultKind, moment: Moment, ends: SagaCase['ends']): SagaCase => {
    const faults = [{ step: step.name, direction: 'do' as const, moment, kind }];
    const title = titleOf(kind, 'do', step, moment);
    return { title, faults, ends, operator: 'resumes', inChild: kind === 'kill' };
  };
  return [
    ...(step.transact ? [] : [one('repeat', last, 'done')]),
    ...moments.map((moment) => one('transient', moment, 'done')),
    ...moments.map((moment) => one('permanent', moment, reversible ? 'undone' : 'done')),
    ...killMoments(moments).map((moment) => one('kill', moment, 'done')),
  ];
}

/** Every undo is reached by a failure of the last step that can be taken back, after its effect. */
function undoCases(reversible: readonly SagaStep[]): SagaCase[] {
  const last = reversible.at(-1);
  if (!last) return [];
  const turn: Fault = { step: last.name, direction: 'do', moment: 'after', kind: 'permanent' };
  const undone = reversible.filter((step) => step.undo ?? step.undoTransact);
  return undone.flatMap((step) => {
    const moments = (step.undo ? ['before', 'after', 'recording'] : ['before', 'recording']) as Moment[];
    const one = (kind: FaultKind, moment: Moment): SagaCase => ({
      title: titleOf(kind, 'undo', step, moment),
      faults: [turn, { step: step.name, direction: 'undo', moment, kind }],
      ends: 'undone',
      operator: 'resumes',
      inChild: kind === 'kill',
    });
    return [
      ...(step.undo ? [one('repeat', 'after')] : []),
      ...moments.map((moment) => one('transient', moment)),
      ...killMoments(moments).map((moment) => one('kill', moment)),
    ];
  });
}

function givenUpCases({ steps, pointOfNoReturn, whenGivenUp }: Definition): SagaCase[] {
  if (whenGivenUp === 'leave') return [];
  // Only before any effect: after it, a payment's event may wake the saga, which then passes without the operator.
  return steps.slice(pointOfNoReturn).map((step) => ({
    title: `given up after ${titleOf('permanent', 'do', step, 'before')}`,
    faults: [{ step: step.name, direction: 'do', moment: 'before', kind: 'permanent' }],
    ends: 'undone',
    operator: 'gives up',
    inChild: false,
  }));
}

function momentsOf(step: SagaStep): Moment[] {
  return step.transact ? ['before', 'recording'] : ['before', 'after', 'recording'];
}

/**
 * Before its effect a step has done nothing, and who takes over finds what a failure there leaves as well; so nobody is
 * killed there, which takes a process each time, unless SERVERY_EVERY_KILL=1 asks for it.
 */
function killMoments(moments: readonly Moment[]): readonly Moment[] {
  return process.env.SERVERY_EVERY_KILL ? moments : moments.filter((moment) => moment !== 'before');
}

function titleOf(kind: FaultKind, direction: SagaDirection, step: SagaStep, moment: Moment): string {
  const what = `${direction} ${step.name}`;
  if (kind === 'repeat') return `${what}, twice`;
  const where = moment === 'recording' ? 'while recording' : moment;
  return kind === 'kill' ? `killed ${where} ${what}` : `${kind} failure ${where} ${what}`;
}
