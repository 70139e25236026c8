import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { ProductWire } from '#libs/contracts';
import { accountQuery } from '../../api/account.ts';
import { quoteQuery } from '../../api/catalog.ts';
import { Docket, DocketLine, DocketRule } from '../../components/docket.tsx';
import { formatCount, formatGb, formatHourly, formatMinor, formatPrice } from '../../format.ts';
import type { AccessChoice } from '../../order-draft.ts';

interface PriceDocketProps {
  readonly product: ProductWire;
  readonly serverType: string;
  readonly name: string;
  readonly access: AccessChoice;
  /** How many volumes it has from the start: they are paid for already. */
  readonly volumes: number;
  readonly currency: string;
  readonly children?: ReactNode;
}

const ACCESS = { password: 'Password', saved_key: 'SSH key', new_key: 'New SSH key' } as const;

/** The order as it stands: what, for how much, and what is held on the card. */
export function PriceDocket({
  product,
  serverType,
  name,
  access,
  volumes,
  currency,
  children,
}: PriceDocketProps) {
  const offer = product.offers.find((one) => one.server_type.name === serverType);
  return (
    <Docket>
      <div className="flex items-baseline justify-between gap-4 font-mono text-sm">
        <h2 className="font-bold tracking-normal">YOUR ORDER</h2>
        <span className="min-w-0 truncate text-soft" data-testid="docket-name">
          {name}
        </span>
      </div>
      <DocketRule />
      <dl>
        <DocketLine label="Server">{product.title}</DocketLine>
        {offer && (
          <DocketLine label="Size">
            {formatCount(offer.server_type.cores, 'vCPU')}, {formatGb(offer.server_type.memory)}
          </DocketLine>
        )}
        <DocketLine label="Log in with">{ACCESS[access.kind]}</DocketLine>
        {volumes > 0 && <DocketLine label="Has">{formatCount(volumes, 'volume')} of yours</DocketLine>}
      </dl>
      <DocketRule />
      {offer && (
        <dl aria-live="polite">
          <DocketLine label="By the hour">{formatHourly(offer.price_hourly.gross, currency)}</DocketLine>
          <DocketLine label="A month, at most" strong>
            {formatPrice(offer.price_monthly.gross, currency)}
          </DocketLine>
        </dl>
      )}
      <HoldNote image={product.name} serverType={serverType} />
      {children}
    </Docket>
  );
}

/** What will be held on the card, and why; the API decides it. */
function HoldNote({ image, serverType }: { image: string; serverType: string }) {
  const { data: account } = useQuery(accountQuery);
  const { data: quote } = useQuery({
    ...quoteQuery({ image, server_type: serverType }),
    enabled: Boolean(account) && serverType !== '',
  });
  if (quote?.hold)
    return (
      <div className="mt-3 rounded-control bg-sunken p-3 text-sm">
        <p className="flex justify-between gap-4 font-[600]">
          Held on your card{' '}
          <span className="tabular-nums">{formatMinor(quote.hold.amount_minor, quote.hold.currency)}</span>
        </p>
        <p className="mt-1 text-soft">{quote.hold.reason}</p>
      </div>
    );
  return (
    <p className="mt-3 text-sm text-soft">
      {account
        ? 'Nothing is held on your card. You pay for the hours on your next invoice.'
        : 'New accounts: the first month is held on your card, and becomes your credit once the server answers.'}
    </p>
  );
}
