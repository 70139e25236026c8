import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { OfferWire } from '#libs/contracts';
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
        <DocketLine label="Of">
          {[
            base?.title ?? draft.base,
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

/** The cheapest size that it fits, and the others on demand. */
function Sizes({ memoryMib, diskGib }: { memoryMib: number; diskGib: number }) {
  const { data: catalog } = useQuery(catalogQuery);
  if (!catalog) return null;
  const [cheapest, ...others] = sizesOf(catalog).filter(
    ({ server_type: { memory, disk } }) => memory * 1024 >= memoryMib && disk >= diskGib,
  );
  if (!cheapest)
    return <p className="text-sm text-soft">No size on offer is as large as that: make it smaller.</p>;
  return (
    <>
      <dl aria-live="polite">
        <Size offer={cheapest} currency={catalog.currency} isFirst />
      </dl>
      {others.length > 0 && (
        <details className="text-sm">
          <summary className="w-fit py-1 text-soft hover:text-ink">
            {formatCount(others.length, 'larger size')} as well
          </summary>
          <dl>
            {others.map((offer) => (
              <Size key={offer.server_type.id} offer={offer} currency={catalog.currency} />
            ))}
          </dl>
        </details>
      )}
    </>
  );
}

interface SizeProps {
  readonly offer: OfferWire;
  readonly currency: string;
  readonly isFirst?: boolean;
}

function Size({ offer: { server_type: size, price_monthly: price }, currency, isFirst = false }: SizeProps) {
  return (
    <DocketLine
      strong={isFirst}
      label={
        <>
          {isFirst && 'A server from '}
          {size.name}{' '}
          <span className="text-sm font-normal text-soft">
            {formatCount(size.cores, 'vCPU')}, {formatGb(size.memory)}
          </span>
        </>
      }
    >
      {formatPrice(price.gross, currency)}
      <span className="text-sm font-normal text-soft"> a month</span>
    </DocketLine>
  );
}
