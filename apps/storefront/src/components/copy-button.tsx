import { Check, Copy, TriangleAlert } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button } from './button.tsx';

const SHOWN_MS = 2_000;

const OUTCOME = {
  idle: { icon: Copy, word: 'Copy', said: '' },
  copied: { icon: Check, word: 'Copied', said: 'copied' },
  failed: {
    icon: TriangleAlert,
    word: 'Copy by hand',
    said: 'could not be copied; select it and copy it by hand',
  },
} as const;

interface CopyButtonProps {
  readonly text: string;
  readonly label: string;
  readonly iconOnly?: boolean;
}

/** Copies `text` and says so, to eyes and to screen readers; says as well when the browser does not let it. */
export function CopyButton({ text, label, iconOnly = false }: CopyButtonProps) {
  const [outcome, setOutcome] = useState<keyof typeof OUTCOME>('idle');
  useEffect(() => {
    if (outcome === 'idle') return;
    const timer = setTimeout(() => setOutcome('idle'), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  const { icon: Icon, word, said } = OUTCOME[outcome];
  return (
    <Button
      look={iconOnly ? 'quiet' : 'secondary'}
      size="small"
      aria-label={`Copy ${label}`}
      onClick={() => void copy(text).then(setOutcome)}
    >
      <Icon aria-hidden="true" className="size-4" />
      {!iconOnly && (
        <span className="max-sm:sr-only" aria-hidden="true">
          {word}
        </span>
      )}
      <span role="status" className="sr-only">
        {said && `${label} ${said}`}
      </span>
    </Button>
  );
}

/** Browsers have a clipboard on secure pages only, and ask there as well. */
async function copy(text: string): Promise<'copied' | 'failed'> {
  try {
    await navigator.clipboard.writeText(text);
    return 'copied';
  } catch {
    return 'failed';
  }
}

/** A value in monospace with a button that copies it. */
export function CopyLine({ text, label }: { text: string; label: string }) {
  return (
    <div className="flex items-center gap-2 rounded-control border border-line bg-sunken p-1.5 pl-3">
      <code
        className="min-w-0 flex-1 overflow-x-auto py-1 font-mono text-sm break-all"
        data-testid={`copy-${label}`}
      >
        {text}
      </code>
      <CopyButton text={text} label={label} />
    </div>
  );
}
