import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Eye, LockKeyhole } from 'lucide-react';
import { useState } from 'react';
import type { ServerWire } from '#libs/contracts';
import { newIdempotencyKey } from '../../api/client.ts';
import { revealApplicationSecrets } from '../../api/servers.ts';
import { Button } from '../../components/button.tsx';
import { CopyLine } from '../../components/copy-button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Panel } from '../../components/section.tsx';
import { formatDate } from '../../format.ts';
import { useRevealNumber } from './use-reveal-number.ts';

type Secrets = NonNullable<ServerWire['servery']['application_secrets']>;

/** What lets an owner into the application of a server: fetched on a click, shown once, held by this component alone. */
export function ApplicationPanel({ server }: { server: ServerWire }) {
  const { application_secrets: secrets } = server.servery;
  const number = useRevealNumber(secrets?.state ?? 'pending');
  if (!secrets) return null;
  return (
    <Panel>
      <h2 className="flex items-center gap-2.5 text-lg">
        <LockKeyhole aria-hidden="true" className="size-5 text-brand" /> Its application
      </h2>
      <Reveal key={number} server={server} secrets={secrets} />
    </Panel>
  );
}

function Reveal({ server, secrets }: { server: ServerWire; secrets: Secrets }) {
  const queryClient = useQueryClient();
  const [idempotencyKey] = useState(newIdempotencyKey);
  const reveal = useMutation({
    mutationFn: () => revealApplicationSecrets(server.id, idempotencyKey),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['servers', server.id] }),
    gcTime: 0,
  });
  if (reveal.data)
    return (
      <div className="mt-4 grid animate-settle gap-3" role="status">
        <p className="font-medium">Save it now. It will not be shown again.</p>
        {reveal.data.map(({ name, title, username, value }) => (
          <div key={name}>
            <p className="mb-1.5 text-sm font-[550]">
              {title}
              {username && (
                <>
                  {' '}
                  (user <code className="font-mono">{username}</code>)
                </>
              )}
            </p>
            <CopyLine label={name} text={value} />
          </div>
        ))}
      </div>
    );
  return (
    <div className="mt-2 grid justify-items-start gap-4">
      {reveal.error && <ErrorPanel error={reveal.error} title="It cannot be shown" />}
      <p className="text-soft">{explain(secrets)}</p>
      {secrets.state === 'available' && (
        <Button busy={reveal.isPending} onClick={() => reveal.mutate()}>
          <Eye aria-hidden="true" className="size-4" /> Show it once
        </Button>
      )}
    </div>
  );
}

function explain({ state, expires_at: expiresAt, items }: Secrets): string {
  const names = items.map(({ title }) => title).join(', ');
  switch (state) {
    case 'pending':
      return `${names}: ready when the server is.`;
    case 'available':
      return `${names}: made for this server and waiting for you. It is shown a single time${expiresAt ? `, until ${formatDate(expiresAt)}` : ''}.`;
    case 'revealed':
      return `${names}: shown already. If you lost it, log in to the server and set a new one.`;
    case 'expired':
      return `${names}: not fetched in time. Log in to the server and set a new one.`;
  }
}
