import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { BalanceWire, DunningStep, SuspensionWire } from '#libs/contracts';
import { accountQuery } from '../../api/account.ts';
import { balanceQuery } from '../../api/billing.ts';
import { buttonClass } from '../../components/button.tsx';
import { Notice } from '../../components/notice.tsx';
import { formatDay, formatMinor } from '../../format.ts';

interface Happened {
  readonly title: string;
  /** What follows, and on which day where that is one to know. */
  readonly next: (day: string) => string;
}

/** By the last step of the ladder that was taken. */
const HAPPENED: Readonly<Record<DunningStep, Happened>> = {
  unpaid: { title: 'A payment failed', next: () => 'new orders are refused until it is paid' },
  first_warning: {
    title: 'A payment is overdue',
    next: () => 'your servers will be switched off if it stays so',
  },
  last_warning: { title: 'A payment is overdue', next: (day) => `your servers are switched off on ${day}` },
  suspension: {
    title: 'Your servers are switched off',
    next: (day) => `once it is paid they come back as they were; else they leave your list on ${day}`,
  },
  soft_deletion: {
    title: 'Your servers are out of your list',
    next: (day) => `once it is paid they come back as they were; else they are deleted on ${day}`,
  },
  purge: { title: 'Your servers were deleted', next: () => 'what is owed is still to be paid' },
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
  const then = next(arrears.next ? formatDay(arrears.next) : 'another day');
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
        Pay {owed} with a working card or pay it in: {then}.
      </Notice>
    </div>
  );
}
