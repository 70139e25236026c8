import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { FlaskConical } from 'lucide-react';
import { useState } from 'react';
import type { ServerWire } from '#libs/contracts';
import { isUnderWay, serverRehearsalsQuery } from '../../api/rehearsals.ts';
import { Button } from '../../components/button.tsx';
import { Panel } from '../../components/section.tsx';
import { Time } from '../../components/time.tsx';
import { STATUS_WORDS } from './rehearsal-words.ts';
import { RehearseDialog } from './rehearse-dialog.tsx';

/** Upgrades that were tried on clones of a server. */
export function RehearsalsPanel({ server, isBusy }: { server: ServerWire; isBusy: boolean }) {
  const [asking, setAsking] = useState(false);
  const { data: rehearsals } = useQuery(serverRehearsalsQuery(server.id));
  const mayAsk = !isBusy && server.status === 'running' && !rehearsals?.some(isUnderWay);
  return (
    <Panel>
      <div className="flex flex-wrap items-start justify-between gap-4">
        <h2 className="flex items-center gap-2.5 text-lg">
          <FlaskConical aria-hidden="true" className="size-5 text-brand" /> Rehearse an upgrade
        </h2>
        <Button look="secondary" size="small" disabled={!mayAsk} onClick={() => setAsking(true)}>
          Rehearse
        </Button>
      </div>
      <p className="mt-2 text-soft">
        Try a script on a clone first, and see what it changes. Then apply it: where it fails here, the server
        is put back by itself.
      </p>
      {rehearsals && rehearsals.length > 0 && (
        <ul aria-label="Rehearsals" className="mt-4 divide-y divide-line">
          {rehearsals.map((one) => (
            <li key={one.id} className="flex flex-wrap justify-between gap-3 py-3">
              <Link
                to="/rehearsals/$rehearsalId"
                params={{ rehearsalId: one.id }}
                className="font-medium hover:underline"
              >
                {STATUS_WORDS[one.status]}
              </Link>
              <span className="text-sm text-soft">
                <Time at={one.created} />
              </span>
            </li>
          ))}
        </ul>
      )}
      {asking && <RehearseDialog server={server} close={() => setAsking(false)} />}
    </Panel>
  );
}
