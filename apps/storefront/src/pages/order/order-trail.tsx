import { Check } from 'lucide-react';

const STAGES = ['Configure', 'Account', 'Pay'] as const;

/** Where the visitor stands on the way to an order. */
export function OrderTrail({ at }: { at: (typeof STAGES)[number] }) {
  const current = STAGES.indexOf(at);
  return (
    <nav aria-label="Steps of your order" className="mb-8">
      <ol className="flex items-center gap-2 text-sm sm:gap-3">
        {STAGES.map((stage, index) => (
          <li
            key={stage}
            aria-current={index === current ? 'step' : undefined}
            className="flex items-center gap-2 not-first:before:h-px not-first:before:w-4 not-first:before:bg-line-strong sm:gap-3 sm:not-first:before:w-10"
          >
            <StageMark index={index} current={current} />
            <span className={index === current ? 'font-[600]' : 'text-soft'}>{stage}</span>
          </li>
        ))}
      </ol>
    </nav>
  );
}

function StageMark({ index, current }: { index: number; current: number }) {
  const look =
    index < current ? 'bg-brand text-on-brand' : index === current ? 'bg-ink text-page' : 'bg-line text-ink';
  return (
    <span
      aria-hidden="true"
      className={`grid size-6 place-items-center rounded-full text-xs font-bold ${look}`}
    >
      {index < current ? <Check className="size-3.5" strokeWidth={3} /> : index + 1}
    </span>
  );
}
