import { useMutation, useQuery } from '@tanstack/react-query';
import { ExternalLink } from 'lucide-react';
import { billingProfileQuery, limitsQuery, openPortal } from '../../api/billing.ts';
import { newIdempotencyKey } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Panel, Section } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { CardsSection } from '../account/cards-section.tsx';
import { BillingFrame } from './billing-frame.tsx';
import { LimitForm } from './limit-form.tsx';
import { ProfileForm } from './profile-form.tsx';

export function BillingSettingsPage() {
  const profile = useQuery(billingProfileQuery);
  const limits = useQuery(limitsQuery);
  const error = profile.error ?? limits.error;
  return (
    <BillingFrame title="Limits and address">
      {error && <ErrorPanel error={error} title="Your settings could not be loaded" />}
      <div className="grid max-w-2xl gap-12">
        <Section
          title="Spending limit"
          hint="Of a month, tax included. A limit never stops a server that runs."
        >
          <Panel>
            {limits.data ? <LimitForm limits={limits.data} /> : !error && <Skeleton className="h-40" />}
          </Panel>
        </Section>
        <Section
          title="Invoice address"
          hint="On the next invoices. Those that were issued stay as they are."
        >
          <Panel>
            {profile.data !== undefined ? (
              <ProfileForm profile={profile.data} />
            ) : (
              !error && <Skeleton className="h-60" />
            )}
          </Panel>
        </Section>
        <CardsSection />
        <Portal />
      </div>
    </BillingFrame>
  );
}

function Portal() {
  const leave = useMutation({
    mutationFn: () => openPortal(newIdempotencyKey()),
    onSuccess: (url) => location.assign(url),
  });
  return (
    <Section title="Payment provider" hint="Receipts and cards as our payment provider has them.">
      {leave.error && <ErrorPanel error={leave.error} title="The page could not be opened" />}
      <Button look="secondary" busy={leave.isPending || leave.isSuccess} onClick={() => leave.mutate()}>
        <ExternalLink aria-hidden="true" className="size-4" /> Open its page
      </Button>
    </Section>
  );
}
