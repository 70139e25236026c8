import { useQuery } from '@tanstack/react-query';
import { Tags } from 'lucide-react';
import { useState } from 'react';
import type { BookedPriceWire } from '#libs/contracts';
import { pricesQuery } from '../../api/books.ts';
import { Button } from '../../components/button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Cell, Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { formatHourly } from '../../format.ts';
import { OperatorFrame } from '../operator/operator-frame.tsx';
import { ChangePriceDialog } from './change-price-dialog.tsx';

const STATE: Readonly<Record<BookedPriceWire['state'], string>> = {
  past: 'text-soft',
  current: 'font-[600]',
  future: 'text-saffron-ink',
};

export function PricesPage() {
  const { data, error, isPending, refetch } = useQuery(pricesQuery);
  const [changing, setChanging] = useState<BookedPriceWire | null>(null);
  return (
    <OperatorFrame
      area="Books"
      title="Prices"
      lead={
        <>
          By the hour, before tax; a month costs 672 hours at most. What was used before a change keeps its
          price.
        </>
      }
    >
      {error && <ErrorPanel error={error} retry={refetch} title="The prices could not be loaded" />}
      {isPending && <Skeleton className="h-60" />}
      {data?.prices.length === 0 && <EmptyState icon={Tags} title="No prices yet" />}
      {data && data.prices.length > 0 && (
        <Table caption="Prices" columns={['Item', 'On invoices', 'By the hour', 'From', 'State', '']}>
          {data.prices.map((price) => (
            <tr key={`${price.item} ${price.effective_from}`} className={STATE[price.state]}>
              <Cell className="font-mono text-sm">{price.item}</Cell>
              <Cell>{price.title}</Cell>
              <Cell className="tabular-nums">{formatHourly(price.hourly, data.currency)}</Cell>
              <Cell className="whitespace-nowrap">
                {price.effective_from ? <Time at={price.effective_from} /> : 'the beginning'}
              </Cell>
              <Cell>{price.state}</Cell>
              <Cell className="text-right">
                {price.state === 'current' && (
                  <Button
                    look="secondary"
                    size="small"
                    aria-label={`Change the price of ${price.item}`}
                    onClick={() => setChanging(price)}
                  >
                    Change
                  </Button>
                )}
              </Cell>
            </tr>
          ))}
        </Table>
      )}
      {data && changing && (
        <ChangePriceDialog price={changing} currency={data.currency} close={() => setChanging(null)} />
      )}
    </OperatorFrame>
  );
}
