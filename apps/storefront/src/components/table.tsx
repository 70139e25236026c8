import type { ReactNode } from 'react';

interface TableProps {
  readonly caption: string;
  /** The headings; an empty one heads the column of buttons. */
  readonly columns: readonly string[];
  readonly children: ReactNode;
  /** As high as a part of the window, and scrolls: for long lists within a page. */
  readonly isTall?: boolean;
}

/** A table that scrolls inside its own frame on narrow screens; the page never does. */
export function Table({ caption, columns, children, isTall = false }: TableProps) {
  return (
    <section
      aria-label={caption}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a frame that scrolls must be reachable by keyboard
      tabIndex={0}
      className={`relative overflow-x-auto rounded-card border border-line bg-surface shadow-card ${isTall ? 'max-h-[32rem]' : ''}`}
    >
      <table className="w-full border-collapse text-left text-[0.9375rem]">
        <caption className="sr-only">{caption}</caption>
        <thead className={isTall ? 'sticky top-0 bg-surface' : undefined}>
          <tr className="border-b border-line text-sm text-soft">
            {columns.map((column) => (
              <th key={column} scope="col" className="px-4 py-3 font-medium whitespace-nowrap">
                {column || <span className="sr-only">Actions</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">{children}</tbody>
      </table>
    </section>
  );
}

export function Cell({ children, className = '' }: { children?: ReactNode; className?: string }) {
  return <td className={`px-4 py-3 align-top ${className}`}>{children}</td>;
}
