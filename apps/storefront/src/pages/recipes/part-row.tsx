import { Button } from '../../components/button.tsx';

interface PartRowProps {
  readonly title: string;
  readonly hint?: string;
  readonly problem?: string | undefined;
  /** Missing: it comes with something else, and goes with it. */
  readonly remove?: () => void;
}

/** One of a short list of the recipe's parts. */
export function PartRow({ title, hint, problem, remove }: PartRowProps) {
  return (
    <li className="flex min-h-12 items-center justify-between gap-4 py-1.5 pr-2 pl-4">
      <div className="min-w-0">
        <p className="text-[0.9375rem] wrap-anywhere">
          {title}
          {hint && <span className="ml-2 text-sm text-soft">{hint}</span>}
        </p>
        {problem && <p className="text-sm font-medium text-bad">{problem}</p>}
      </div>
      {remove && (
        <Button look="quiet" size="small" onClick={remove}>
          Remove<span className="sr-only"> {title}</span>
        </Button>
      )}
    </li>
  );
}
