import { type ReactNode, useEffect } from 'react';

interface PageProps {
  /** The heading of the page and, with our name, the title of the tab. */
  readonly title: string;
  readonly lead?: ReactNode;
  readonly above?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  readonly narrow?: boolean;
}

/** The frame of an inner page: its one heading, an introduction, actions, then the content. */
export function Page({ title, lead, above, actions, children, narrow }: PageProps) {
  useDocumentTitle(title);
  return (
    <div className={`mx-auto px-4 pt-8 pb-20 sm:px-6 sm:pt-12 ${narrow ? 'max-w-2xl' : 'max-w-6xl'}`}>
      {above}
      <div className="mb-8 flex flex-wrap items-end justify-between gap-x-6 gap-y-4">
        <div className="max-w-2xl">
          <h1 className="text-3xl sm:text-4xl">{title}</h1>
          {lead && <p className="mt-3 text-soft">{lead}</p>}
        </div>
        {actions}
      </div>
      {children}
    </div>
  );
}

export function useDocumentTitle(title: string): void {
  useEffect(() => {
    document.title = title === 'Servery' ? 'Servery: order a server, get it served' : `${title} · Servery`;
  }, [title]);
}
