import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { ChevronLeft } from 'lucide-react';
import type { RehearsalWire } from '#libs/contracts';
import { isUnderWay, rehearsalQuery } from '../../api/rehearsals.ts';
import { serverQuery } from '../../api/servers.ts';
import { buttonClass } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Notice } from '../../components/notice.tsx';
import { Page } from '../../components/page.tsx';
import { Section } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { ApplyPanel } from './apply-panel.tsx';
import { ChangesTable } from './changes-table.tsx';
import { Comparison } from './comparison.tsx';
import { STATUS_WORDS } from './rehearsal-words.ts';
import { ScriptOutput } from './script-output.tsx';

/** What a server was, what its clone has become, and what it has become itself, side by side. */
export function RehearsalPage() {
  const { rehearsalId } = useParams({ from: '/rehearsals/$rehearsalId' });
  const { data: rehearsal, error, refetch } = useQuery(rehearsalQuery(rehearsalId));
  const { data: server } = useQuery({
    ...serverQuery(rehearsal?.server ?? 0),
    enabled: rehearsal !== undefined,
  });
  return (
    <Page
      title={server ? `Rehearsal of ${server.name}` : 'Rehearsal'}
      lead={rehearsal && STATUS_WORDS[rehearsal.status]}
      above={
        <Link
          to={rehearsal ? '/servers/$serverId' : '/servers'}
          params={{ serverId: rehearsal?.server ?? 0 }}
          className="mb-6 inline-flex items-center gap-1 text-sm text-soft hover:text-ink hover:underline"
        >
          <ChevronLeft aria-hidden="true" className="size-4" /> {server?.name ?? 'My servers'}
        </Link>
      }
    >
      {error && <ErrorPanel error={error} retry={refetch} title="This rehearsal could not be loaded" />}
      {rehearsal ? (
        <RehearsalBody rehearsal={rehearsal} />
      ) : (
        !error && <Skeleton className="h-44" count={2} />
      )}
    </Page>
  );
}

function RehearsalBody({ rehearsal }: { rehearsal: RehearsalWire }) {
  const { rehearsal: tried, production, clone } = rehearsal;
  const latest = production ?? tried;
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-8">
      {latest?.error && (
        <Notice tone="bad" title={latest.error.message}>
          {production?.answers_again === true && 'The server was put back, and passes its checks again.'}
          {production?.answers_again === false &&
            'The server was put back, and has not passed its checks since: please look after it.'}
        </Notice>
      )}
      {!isUnderWay(rehearsal) && <ApplyPanel rehearsal={rehearsal} />}
      {clone?.expires && (
        <Notice
          title="The clone is kept for you to look into"
          actions={
            <Link
              to="/servers/$serverId"
              params={{ serverId: clone.server }}
              className={buttonClass('secondary', 'small')}
            >
              See the clone
            </Link>
          }
        />
      )}
      <Comparison rehearsal={rehearsal} />
      {tried?.changes && (
        <Section title="What changed on the clone">
          <ChangesTable caption="What changed on the clone" changes={tried.changes} />
        </Section>
      )}
      {tried && <ScriptOutput rehearsalId={rehearsal.id} stage="rehearsal" title="Output on the clone" />}
      {production?.changes && (
        <Section title="What changed on the server">
          <ChangesTable caption="What changed on the server" changes={production.changes} />
        </Section>
      )}
      {production && (
        <ScriptOutput rehearsalId={rehearsal.id} stage="production" title="Output on the server" />
      )}
    </div>
  );
}
