import { useLayoutEffect, useRef } from 'react';
import type { WholeText } from '../api/slices.ts';
import { formatBytes } from '../format.ts';
import { plainText } from '../plain-text.ts';

/** Nearer to its end than this, one reads along. */
const AT_END_PX = 40;

/** What a program prints, as it comes: who looks at the end goes on seeing the end. */
export function Printed({ label, printed }: { label: string; printed: WholeText }) {
  const frame = useRef<HTMLPreElement>(null);
  const readsAlong = useRef(true);
  const text = plainText(printed.text) || 'Nothing was printed yet.';
  // biome-ignore lint/correctness/useExhaustiveDependencies: it moves when there is more text
  useLayoutEffect(() => {
    const { current: shown } = frame;
    if (shown && readsAlong.current) shown.scrollTop = shown.scrollHeight;
  }, [text]);
  return (
    <>
      <pre
        ref={frame}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a frame that scrolls must be reachable by keyboard
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label={label}
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
          readsAlong.current = scrollHeight - scrollTop - clientHeight < AT_END_PX;
        }}
        className="max-h-96 overflow-auto rounded-card border border-line bg-sunken p-4 font-mono text-sm wrap-anywhere whitespace-pre-wrap"
      >
        {text}
      </pre>
      {printed.cutBytes > 0 && (
        <p className="mt-2 text-sm text-soft">
          {formatBytes(printed.cutBytes)} more were printed and not kept.
        </p>
      )}
    </>
  );
}
