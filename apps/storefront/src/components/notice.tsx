import { CircleAlert, CircleCheck, Info, TriangleAlert, X } from 'lucide-react';
import type { ReactNode } from 'react';

const TONE = {
  info: { icon: Info, look: 'bg-sunken border-line' },
  good: { icon: CircleCheck, look: 'bg-brand-tint border-brand/30' },
  warning: { icon: TriangleAlert, look: 'bg-saffron-tint border-saffron/50 text-saffron-ink' },
  bad: { icon: CircleAlert, look: 'bg-bad-tint border-bad/40' },
} as const;

interface NoticeProps {
  readonly tone?: keyof typeof TONE;
  readonly title?: string;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
  /** Puts it away; without it the message stays. */
  readonly onClose?: () => void;
}

/** A message in the flow of the page: what happened, and what to do. Bad news is announced at once. */
export function Notice({ tone = 'info', title, children, actions, onClose }: NoticeProps) {
  const { icon: Icon, look } = TONE[tone];
  return (
    <div role={tone === 'bad' ? 'alert' : undefined} className={`flex gap-3 rounded-card border p-4 ${look}`}>
      <Icon aria-hidden="true" className="mt-0.5 size-5 shrink-0" />
      <div className="grid min-w-0 flex-1 gap-1 text-[0.9375rem]">
        {title && <p className="font-[600]">{title}</p>}
        {children && <div className={title ? 'opacity-90' : ''}>{children}</div>}
        {actions && <div className="mt-2 flex flex-wrap gap-2">{actions}</div>}
      </div>
      {onClose && (
        <button
          type="button"
          aria-label="Close this message"
          onClick={onClose}
          className="-m-2 grid size-9 shrink-0 place-items-center self-start rounded-control hover:bg-ink/10"
        >
          <X aria-hidden="true" className="size-4" />
        </button>
      )}
    </div>
  );
}
