import { CircleCheck } from 'lucide-react';
import type { RecipeProblem } from '../../recipe/recipe-document.ts';

interface ProblemListProps {
  readonly problems: readonly RecipeProblem[];
  readonly goTo: (line: number) => void;
}

/** What is wrong with the recipe, each with the way to its line. */
export function ProblemList({ problems, goTo }: ProblemListProps) {
  if (problems.length === 0) {
    return (
      <p role="status" className="flex items-center gap-2 text-sm text-soft">
        <CircleCheck aria-hidden="true" className="size-4 text-brand" /> Nothing is wrong with it.
      </p>
    );
  }
  return (
    <div role="status">
      <ul aria-label="What is wrong" className="grid max-h-36 gap-1.5 overflow-y-auto">
        {problems.map(({ line, path, message }) => (
          <li key={`${line} ${path.join('.')} ${message}`}>
            <button
              type="button"
              onClick={() => goTo(line)}
              className="flex w-full gap-3 rounded-control bg-bad-tint px-3 py-2 text-left text-sm hover:brightness-95"
            >
              <span className="shrink-0 font-medium text-bad">Line {line}</span>
              <span className="min-w-0 wrap-anywhere">
                {path.length > 0 && <code className="font-mono">{path.join('.')} </code>}
                {message}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
