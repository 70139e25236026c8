import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button } from './button.tsx';

/** Copies `text` and says so, to eyes and to screen readers. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [copied]);
  const Icon = copied ? Check : Copy;
  return (
    <Button
      look="secondary"
      size="small"
      aria-label={`Copy ${label}`}
      onClick={() => navigator.clipboard.writeText(text).then(() => setCopied(true))}
    >
      <Icon aria-hidden="true" className="size-4" />
      <span className="max-sm:sr-only" aria-hidden="true">
        {copied ? 'Copied' : 'Copy'}
      </span>
      <span role="status" className="sr-only">
        {copied ? `${label} copied` : ''}
      </span>
    </Button>
  );
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
