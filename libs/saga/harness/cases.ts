import type { SagaDefinition } from '../define.ts';
import type { SagaDirection } from '../saga.record.ts';
import type { SagaStep } from '../step.ts';
import type { Fault, FaultKind, Moment } from './faults.ts';

/** One way in which a saga is tried, and how it has to end. */
export interface SagaCase {
  readonly title: string;
  /** Strike the process that runs the saga, each once. */
  readonly faults: readonly Fault[];
  /** Each kills a process of its own, one after another; then this process takes over. */
  readonly kills: readonly Fault[];
  readonly ends: 'done' | 'undone';
  /** What the operator does whenever it gets stuck. */
  readonly operator: 'resumes' | 'gives up';
}

type Definition = Pick<SagaDefinition<never, never>, 'steps' | 'pointOfNoReturn' | 'whenGivenUp'>;

/**
 * `together`: faults that a saga gets over strike it in one run, each step in its turn, so that a saga of many steps is
 * not run to its end for each of them. `apart` gives each fault a run of its own, and adds the moments that leave what
 * another one leaves: a killed process before an effect (as a failure there), and any end of the transaction that
 * records (as one after the effect, since it is rolled back).
 */
export type Thoroughness = 'together' | 'apart';

/**
 * Every case of a saga: straight, each step twice, failing and killed at each, each undo likewise; and given up at each
 * step past the point of no return, where that takes everything back.
 */
export function casesOf(definition: Definition, thoroughness: Thoroughness = usual()): SagaCase[] {
  const reversible = definition.steps.slice(0, definition.pointOfNoReturn);
  const isApart = thoroughness === 'apart';
  return [
    { title: 'straight', faults: [], kills: [], ends: 'done', operator: 'resumes' },
    ...gotOver(definition, isApart),
    ...turnedBack(reversible, isApart),
    ...undoCases(reversible, isApart),
    ...givenUpCases(definition),
  ];
}

/** To find which fault of many does it: SERVERY_EVERY_CASE=1. */
function usual(): Thoroughness {
  return process.env.SERVERY_EVERY_CASE ? 'apart' : 'together';
}

/** Faults after which the saga ends as if there had been none. */
function gotOver({ steps, pointOfNoReturn }: Definition, isApart: boolean): SagaCase[] {
  const ending = { ends: 'done', before: [], isApart } as const;
  const at = (moment: Moment) => having(steps, moment);
  const late = steps.slice(pointOfNoReturn);
  return [
    ...runs('repeat', 'do', 'after', at('after'), ending),
    ...MOMENTS.flatMap((moment) => runs('transient', 'do', moment, at(moment), ending)),
    ...MOMENTS.flatMap((moment) => runs('permanent', 'do', moment, having(late, moment), ending)),
    ...killRuns('do', at, ending),
  ];
}

/** A step that fails for good turns the saga back, so each takes a run. */
function turnedBack(reversible: readonly SagaStep[], isApart: boolean): SagaCase[] {
  return MOMENTS.flatMap((moment) => {
    const steps = having(reversible, moment).filter(
      (step) => isApart || moment !== 'recording' || step.transact,
    );
    return runs('permanent', 'do', moment, steps, { ends: 'undone', before: [], isApart: true });
  });
}

/** Every undo is reached by a failure of the last step that can be taken back, after its effect. */
function undoCases(reversible: readonly SagaStep[], isApart: boolean): SagaCase[] {
  const last = reversible.at(-1);
  if (!last) return [];
  const turn: Fault = { step: last.name, direction: 'do', moment: 'after', kind: 'permanent' };
  const ending = { ends: 'undone', before: [turn], isApart } as const;
  const backwards = reversible.toReversed();
  const outside = backwards.filter((step) => step.undo);
  const undone = backwards.filter((step) => step.undo ?? step.undoTransact);
  const at = (moment: Moment) => (moment === 'after' ? outside : undone);
  return [
    ...runs('repeat', 'undo', 'after', outside, ending),
    ...MOMENTS.flatMap((moment) => runs('transient', 'undo', moment, at(moment), ending)),
    ...killRuns('undo', at, ending),
  ];
}

function givenUpCases({ steps, pointOfNoReturn, whenGivenUp }: Definition): SagaCase[] {
  if (whenGivenUp === 'leave') return [];
  // Only before any effect: after it, a payment's event may wake the saga, which then passes without the operator.
  return steps.slice(pointOfNoReturn).map((step) => ({
    title: `given up after a permanent failure before do ${step.name}`,
    faults: [{ step: step.name, direction: 'do', moment: 'before', kind: 'permanent' }],
    kills: [],
    ends: 'undone',
    operator: 'gives up',
  }));
}

interface Ending {
  readonly ends: SagaCase['ends'];
  /** What strikes before. */
  readonly before: readonly Fault[];
  readonly isApart: boolean;
}

/** The same fault in each of the steps: in one run, or in one run each. */
function runs(
  kind: FaultKind,
  direction: SagaDirection,
  moment: Moment,
  steps: readonly SagaStep[],
  { ends, before, isApart }: Ending,
): SagaCase[] {
  const faults = steps.map(({ name: step }): Fault => ({ step, direction, moment, kind }));
  const one = (struck: readonly Fault[], where: string): SagaCase => ({
    title: titleOf(kind, moment, `${direction} ${where}`),
    faults: kind === 'kill' ? before : [...before, ...struck],
    kills: kind === 'kill' ? struck : [],
    ends,
    operator: 'resumes',
  });
  if (isApart) return faults.map((fault) => one([fault], fault.step));
  return faults.length === 0 ? [] : [one(faults, `each of ${faults.length} steps`)];
}

const MOMENTS: readonly Moment[] = ['before', 'after', 'recording'];

/** Together, each is killed once: after its effect outside the database, else while that is recorded. */
function killRuns(
  direction: SagaDirection,
  at: (moment: Moment) => readonly SagaStep[],
  ending: Ending,
): SagaCase[] {
  if (ending.isApart) return MOMENTS.flatMap((moment) => runs('kill', direction, moment, at(moment), ending));
  const outside = at('after');
  const inside = at('recording').filter((step) => !outside.includes(step));
  return [
    ...runs('kill', direction, 'after', outside, ending),
    ...runs('kill', direction, 'recording', inside, ending),
  ];
}

/** A step within the database has no moment between its effect and its record. */
function having(steps: readonly SagaStep[], moment: Moment): readonly SagaStep[] {
  return moment === 'after' ? steps.filter((step) => !step.transact) : steps;
}

function titleOf(kind: FaultKind, moment: Moment, what: string): string {
  if (kind === 'repeat') return `${what}, twice`;
  const where = moment === 'recording' ? 'while recording' : moment;
  return kind === 'kill' ? `killed ${where} ${what}` : `${kind} failure ${where} ${what}`;
}
