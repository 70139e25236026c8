import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { Gift } from 'lucide-react';
import { useState } from 'react';
import type { PromotionWire } from '#libs/contracts';
import { endPromotion, promotionsQuery } from '../../api/customers.ts';
import { Button } from '../../components/button.tsx';
import { ConfirmDialog } from '../../components/dialogs.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Pager } from '../../components/pager.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Cell, Table } from '../../components/table.tsx';
import { formatCount, formatDay, formatMinor } from '../../format.ts';
import { OperatorFrame } from '../operator/operator-frame.tsx';
import { EntriesLink } from './entries-link.tsx';
import { PromotionDialog } from './promotion-dialog.tsx';

const STATE: Readonly<Record<PromotionWire['state'], string>> = {
  running: 'running',
  ended: 'ended',
  used_up: 'used up',
};

export function PromotionsPage() {
  const { page = 1 } = useSearch({ from: '/operator/promotions' });
  const { data, error, isPending, refetch } = useQuery(promotionsQuery(page));
  const [making, setMaking] = useState(false);
  const [ending, setEnding] = useState<PromotionWire | null>(null);
  return (
    <OperatorFrame
      area="Books"
      title="Promotion codes"
      lead="A code gives each account its credit once."
      actions={<Button onClick={() => setMaking(true)}>Make a code</Button>}
    >
      {error && <ErrorPanel error={error} retry={refetch} title="The codes could not be loaded" />}
      {isPending && <Skeleton className="h-40" />}
      {data?.promotions.length === 0 && <EmptyState icon={Gift} title="No codes yet" />}
      {data && data.promotions.length > 0 && (
        <Table
          caption="Promotion codes"
          columns={['Code', 'For', 'Credit', 'Redeemed', 'Given', 'Until', 'Credit ends', 'State', '']}
        >
          {data.promotions.map((one) => (
            <PromotionRow key={one.code} promotion={one} end={() => setEnding(one)} />
          ))}
        </Table>
      )}
      {data && <Pager pagination={data.meta.pagination} what="codes" />}
      {making && <PromotionDialog close={() => setMaking(false)} />}
      {ending && <EndDialog promotion={ending} close={() => setEnding(null)} />}
    </OperatorFrame>
  );
}

function PromotionRow({ promotion, end }: { promotion: PromotionWire; end: () => void }) {
  const { code, currency, redeemed, redemptions_left: left, valid_days: validDays } = promotion;
  const given = formatMinor(promotion.given_minor, currency);
  return (
    <tr>
      <Cell className="font-mono text-sm font-[600] whitespace-nowrap">{code}</Cell>
      <Cell>{promotion.note}</Cell>
      <Cell className="tabular-nums">{formatMinor(promotion.amount_minor, currency)}</Cell>
      <Cell className="whitespace-nowrap tabular-nums">
        {left === null ? redeemed : `${redeemed} of ${redeemed + left}`}
      </Cell>
      <Cell>
        <EntriesLink of={{ cause_kind: 'promotion', cause_id: code }} label={`${given}: entries of ${code}`}>
          {given}
        </EntriesLink>
      </Cell>
      <Cell className="whitespace-nowrap text-soft">
        {promotion.redeem_until ? formatDay(promotion.redeem_until) : 'no end'}
      </Cell>
      <Cell className="whitespace-nowrap text-soft">
        {validDays === null ? 'never' : `after ${formatCount(validDays, 'day')}`}
      </Cell>
      <Cell className="whitespace-nowrap">{STATE[promotion.state]}</Cell>
      <Cell className="text-right">
        {promotion.state === 'running' && (
          <Button look="secondary" size="small" aria-label={`End ${code}`} onClick={end}>
            End
          </Button>
        )}
      </Cell>
    </tr>
  );
}

function EndDialog({ promotion: { code }, close }: { promotion: PromotionWire; close: () => void }) {
  const queryClient = useQueryClient();
  const end = useMutation({
    mutationFn: () => endPromotion(code),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['books', 'promotions'] });
      close();
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={close}
      title={`End ${code}?`}
      confirm="End it"
      look="danger"
      busy={end.isPending}
      onConfirm={() => end.mutate()}
    >
      {end.error && <ErrorPanel error={end.error} title="It was not ended" />}
      <p>Nobody can redeem it any more. Who has redeemed it keeps the credit.</p>
    </ConfirmDialog>
  );
}
