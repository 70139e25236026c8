import { X } from 'lucide-react';

/** One of several words, which can be taken away. */
export function Chip({
  children,
  problem,
  remove,
}: {
  children: string;
  problem?: string | undefined;
  remove: () => void;
}) {
  return (
    <span
      title={problem}
      className={`inline-flex items-center gap-1 rounded-full border py-1 pr-1 pl-3 text-sm ${problem ? 'border-bad bg-bad-tint' : 'border-line-strong/60 bg-surface'}`}
    >
      <span className="font-mono wrap-anywhere">{children}</span>
      <button
        type="button"
        aria-label={`Remove ${children}`}
        onClick={remove}
        className="grid size-7 shrink-0 place-items-center rounded-full text-soft hover:bg-sunken hover:text-ink"
      >
        <X aria-hidden="true" className="size-3.5" />
      </button>
    </span>
  );
}
