import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { BalanceWire, DunningStep, SuspensionWire } from '#libs/contracts';
import { accountQuery } from '../../api/account.ts';
import { balanceQuery } from '../../api/billing.ts';
import { buttonClass } from '../../components/button.tsx';
import { Notice } from '../../components/notice.tsx';
import { formatDay, formatMinor } from '../../format.ts';

/** What has happened, and what happens next, by the last step that was taken. */
const HAPPENED: Readonly<Record<DunningStep, { readonly title: string; readonly next: string }>> = {
  unpaid: { title: 'A payment failed', next: 'new orders are refused until it is paid' },
  first_warning: { title: 'A payment is overdue', next: 'your servers will be switched off if it stays so' },
  last_warning: { title: 'A payment is overdue', next: 'your servers are about to be switched off' },
  suspension: { title: 'Your servers are switched off', next: 'they come back as they were once it is paid' },
  soft_deletion: { title: 'Your servers are being removed', next: 'they can still be brought back' },
  purge: { title: 'Your servers were removed', next: 'what is owed is still to be paid' },
};

const WITHOUT_NOTE: Readonly<Record<SuspensionWire['reason'], string>> = {
  billing: 'Something is not paid.',
  abuse: 'They were misused.',
  operator: 'The operator has a reason to.',
};

/** Tells a customer whose payment failed, or who is suspended, what to do, in one sentence; nothing to others. */
export function StandingNotice() {
  const { data: balance } = useQuery(balanceQuery);
  const { data: account } = useQuery(accountQuery);
  const byOperator = account?.suspensions.filter(({ reason }) => reason !== 'billing') ?? [];
  return (
    <>
      {balance?.arrears && <ArrearsSentence balance={balance} arrears={balance.arrears} />}
      {byOperator.map(({ reason, note }) => (
        <div key={reason} className="mb-8">
          <Notice tone="bad" title="Your servers are switched off by the operator of this shop">
            {note ? `The reason: “${note}”.` : WITHOUT_NOTE[reason]} Answer the mail that told you of it.
          </Notice>
        </div>
      ))}
    </>
  );
}

function ArrearsSentence({
  balance,
  arrears,
}: {
  balance: BalanceWire;
  arrears: NonNullable<BalanceWire['arrears']>;
}) {
  const { title, next } = HAPPENED[arrears.step ?? 'unpaid'];
  const owed = formatMinor(balance.open_minor, balance.currency);
  return (
    <div className="mb-8">
      <Notice
        tone="bad"
        title={title}
        actions={
          <>
            <Link to="/account" className={buttonClass('primary', 'small')}>
              Use another card
            </Link>
            <Link to="/billing/credit" className={buttonClass('secondary', 'small')}>
              Pay in
            </Link>
          </>
        }
      >
        Pay {owed} with a working card or pay it in: {next}
        {arrears.next && `; the next step is on ${formatDay(arrears.next)}`}.
      </Notice>
    </div>
  );
}
