import { useQuery } from '@tanstack/react-query';
import type { AccountWire } from '#libs/contracts';
import { accountQuery } from '../../api/account.ts';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Page } from '../../components/page.tsx';
import { Panel, Section } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { UsageMeter } from '../../components/usage-meter.tsx';
import { CardsSection } from './cards-section.tsx';
import { ProjectsSection } from './projects-section.tsx';
import { UnconfirmedEmail } from './unconfirmed-email.tsx';

export function AccountPage() {
  const { data: account, error, refetch } = useQuery(accountQuery);
  return (
    <Page title="Account" lead={account?.email} narrow>
      {error && <ErrorPanel error={error} retry={refetch} />}
      {account ? <AccountBody account={account} /> : !error && <Skeleton className="h-60" />}
    </Page>
  );
}

function AccountBody({ account }: { account: AccountWire }) {
  const { limits, usage } = account;
  return (
    <div className="grid gap-12">
      <UnconfirmedEmail account={account} />
      <CardsSection />
      <Section
        title="Limits"
        hint="For all your projects together. New accounts start small; the operator of this shop can raise them."
      >
        <Panel className="grid gap-5">
          <UsageMeter label="Servers" used={usage.servers} total={limits.servers} />
          <UsageMeter label="vCPUs" used={usage.vcpus} total={limits.vcpus} />
          <UsageMeter label="Memory" used={usage.memory_gb} total={limits.memory_gb} unit="GB" />
          <UsageMeter label="Volumes" used={usage.volume_gb} total={limits.volume_gb} unit="GB" />
        </Panel>
      </Section>
      <ProjectsSection projects={account.projects} />
    </div>
  );
}
