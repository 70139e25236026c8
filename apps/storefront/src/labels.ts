import { isLabelKey, isLabelValue } from '#libs/contracts';

/** One label as it is being typed. `row` tells the rows of a form apart. */
export interface LabelRow {
  readonly row: number;
  readonly key: string;
  readonly value: string;
}

export interface LabelProblem {
  readonly key?: string;
  readonly value?: string;
}

export function toLabelRows(labels: Readonly<Record<string, string>>): LabelRow[] {
  return Object.entries(labels).map(([key, value], row) => ({ row, key, value }));
}

/** Rows that were left empty do not count. */
export function fromLabelRows(rows: readonly LabelRow[]): Record<string, string> {
  return Object.fromEntries(filled(rows).map(({ key, value }) => [key.trim(), value.trim()]));
}

/** What is wrong with the rows, by the number of the row; empty where they can be saved. */
export function labelProblems(rows: readonly LabelRow[]): ReadonlyMap<number, LabelProblem> {
  const problems = new Map<number, LabelProblem>();
  const seen = new Set<string>();
  for (const { row, key, value } of filled(rows)) {
    const problem = { ...keyProblem(key.trim(), seen), ...valueProblem(value.trim()) };
    if (problem.key || problem.value) problems.set(row, problem);
    seen.add(key.trim());
  }
  return problems;
}

function filled(rows: readonly LabelRow[]): LabelRow[] {
  return rows.filter(({ key, value }) => key.trim() !== '' || value.trim() !== '');
}

function keyProblem(key: string, seen: ReadonlySet<string>): LabelProblem {
  if (key === '') return { key: 'Give the label a name.' };
  if (seen.has(key)) return { key: 'There is a label of this name already.' };
  if (!isLabelKey(key)) return { key: 'Use letters, digits, “-”, “_” and “.”, at most 63.' };
  return {};
}

function valueProblem(value: string): LabelProblem {
  if (isLabelValue(value)) return {};
  return { value: 'Use letters, digits, “-”, “_” and “.”, at most 63, or nothing.' };
}
