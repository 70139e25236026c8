import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { catalogQuery } from '../../api/catalog.ts';
import { Docket, DocketLine, DocketRule } from '../../components/docket.tsx';
import { formatCount, formatGb, formatPrice } from '../../format.ts';
import { sizesOf } from '../../offers.ts';
import { needsOf } from '../../recipe/recipe-parts.ts';
import type { Workbench } from './use-workbench.ts';

/** What is being put together, which sizes it fits, and for how much. */
export function RecipeDocket({ work, children }: { work: Workbench; children: ReactNode }) {
  const { draft, parts } = work;
  const needs = needsOf(draft, parts);
  const base = parts.bases.find(({ name }) => name === draft.base);
  return (
    <Docket>
      <div className="flex items-baseline justify-between gap-4 font-mono text-sm">
        <h2 className="font-bold tracking-normal">YOUR IMAGE</h2>
        <span className="min-w-0 truncate text-soft">{draft.name}</span>
      </div>
      <DocketRule />
      <dl>
        <DocketLine label="Stands on">{base?.title ?? draft.base}</DocketLine>
        <DocketLine label="With">
          {[
            formatCount(draft.components.length, 'component'),
            formatCount(draft.packages.length, 'package'),
            formatCount(draft.files.length, 'file'),
          ].join(', ')}
        </DocketLine>
        <DocketLine label="Needs at least">
          {formatGb(needs.memoryMib / 1024)} memory, {formatGb(needs.diskGib)} disk
        </DocketLine>
      </dl>
      <DocketRule />
      <Sizes {...needs} />
      {children}
    </Docket>
  );
}

/** The sizes that it fits, the cheapest first. */
function Sizes({ memoryMib, diskGib }: { memoryMib: number; diskGib: number }) {
  const { data: catalog } = useQuery(catalogQuery);
  if (!catalog) return null;
  const fitting = sizesOf(catalog).filter(
    ({ server_type: { memory, disk } }) => memory * 1024 >= memoryMib && disk >= diskGib,
  );
  if (fitting.length === 0)
    return <p className="text-sm text-soft">No size on offer is as large as that: make it smaller.</p>;
  return (
    <>
      <dl aria-live="polite">
        {fitting.map(({ server_type: { id, name, cores, memory }, price_monthly: price }, index) => (
          <DocketLine
            key={id}
            strong={index === 0}
            label={
              <>
                {name}{' '}
                <span className="text-sm font-normal text-soft">
                  {formatCount(cores, 'vCPU')}, {formatGb(memory)}
                </span>
              </>
            }
          >
            {formatPrice(price.gross, catalog.currency)}
          </DocketLine>
        ))}
      </dl>
      <p className="mt-1 text-sm text-soft">A month of a server, at most; you pay for the hours.</p>
    </>
  );
}
