import { useQuery } from '@tanstack/react-query';
import { useMemo, useRef, useState } from 'react';
import { z } from 'zod';
import type { ComponentsWire } from '#libs/contracts';
import { ApiError } from '../../api/client.ts';
import { partsQuery } from '../../api/recipes.ts';
import { type ReadRecipe, type RecipeDraft, readRecipe } from '../../recipe/read-recipe.ts';
import type { RecipePath, RecipeProblem } from '../../recipe/recipe-document.ts';
import { checkParts } from '../../recipe/recipe-parts.ts';

/** A recipe at work: its text, which is the truth, and what a form shows of it. */
export interface Workbench {
  readonly text: string;
  readonly setText: (text: string) => void;
  /** Changes the text as a form does. */
  readonly edit: (change: (text: string) => string) => void;
  /** As of when the text could last be read. */
  readonly draft: RecipeDraft;
  /** Whether the text can be read now; a form rests while it cannot. */
  readonly isReadable: boolean;
  /** None while they are not here yet. */
  readonly parts: ComponentsWire;
  readonly arePartsHere: boolean;
  readonly partsError: Error | null;
  readonly askForParts: () => void;
  readonly problems: readonly RecipeProblem[];
  /** What is wrong at a path, for the field that shows it. */
  readonly problemAt: (...path: RecipePath) => string | undefined;
  /** The text that was refused, and by what. */
  readonly refuse: (text: string, error: unknown) => void;
}

const EMPTY: RecipeDraft = {
  name: '',
  title: '',
  summary: '',
  base: 'debian-12',
  components: [],
  packages: [],
  files: [],
  services: { enable: [], disable: [], mask: [] },
  firstBootScript: '',
  ports: [],
  health: [],
  memoryMib: 512,
  diskGib: 4,
};

const NO_PARTS: ComponentsWire = {
  bases: [],
  components: [],
  limits: {
    recipes: 0,
    components: 0,
    packages: 0,
    files: 0,
    file_bytes: 0,
    files_bytes: 0,
    script_bytes: 0,
    units: 0,
    ports: 0,
    health_checks: 0,
    yaml_bytes: 0,
  },
};

export function useWorkbench(initial: string, remember: (text: string) => void): Workbench {
  const [text, setState] = useState(initial);
  const [refusal, setRefusal] = useState<{ text: string; error: unknown } | null>(null);
  const { data: parts, error: partsError, refetch } = useQuery(partsQuery);
  const reading = useMemo(() => readRecipe(text), [text]);
  const draft = useRef(EMPTY);
  if (reading.draft) draft.current = reading.draft;
  const problems = useMemo(
    () => [
      ...reading.problems,
      ...(parts && reading.spec ? located(checkParts(reading.spec, parts), reading) : []),
      ...(refusal?.text === text ? located(problemsIn(refusal.error), reading) : []),
    ],
    [reading, parts, refusal, text],
  );

  function setText(changed: string): void {
    setState(changed);
    remember(changed);
  }

  return {
    text,
    setText,
    edit: (change) => setText(change(text)),
    draft: draft.current,
    isReadable: reading.draft !== undefined,
    parts: parts ?? NO_PARTS,
    arePartsHere: parts !== undefined,
    partsError: parts ? null : partsError,
    askForParts: () => void refetch(),
    problems,
    problemAt: (...path) => problems.find((one) => one.path.join('.') === path.join('.'))?.message,
    refuse: (refused, error) => setRefusal({ text: refused, error }),
  };
}

const refusedParts = z.object({
  problems: z.array(z.object({ field: z.string(), message: z.string() })),
});

/** What the API has found in a recipe that was sent to it as text. */
function problemsIn(error: unknown): { path: RecipePath; message: string }[] {
  const parsed = refusedParts.safeParse(error instanceof ApiError ? error.details : null);
  return (parsed.data?.problems ?? []).map(({ field, message }) => ({ path: pathOf(field), message }));
}

/** `files.0.path` */
function pathOf(field: string): RecipePath {
  return field.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

function located(
  found: readonly { path: RecipePath; message: string }[],
  { lineOf }: ReadRecipe,
): RecipeProblem[] {
  return found.map((problem) => ({ ...problem, line: lineOf(problem.path) }));
}
