import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Eye, KeyRound } from 'lucide-react';
import { useState } from 'react';
import type { ServerWire } from '#libs/contracts';
import { newIdempotencyKey } from '../../api/client.ts';
import { revealCredentials } from '../../api/servers.ts';
import { Button } from '../../components/button.tsx';
import { CopyLine } from '../../components/copy-button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Panel } from '../../components/section.tsx';
import { formatDate } from '../../format.ts';
import { useRevealNumber } from './use-reveal-number.ts';

/** How to log in. A password is fetched on a click, shown once, and held by this component alone. */
export function CredentialsPanel({ server }: { server: ServerWire }) {
  const { credentials } = server.servery;
  const passwordNumber = useRevealNumber(credentials.state);
  const byKey = credentials.kind === 'ssh_key';
  const byImage = credentials.kind === 'image';
  const hasPassword =
    (!byKey && !byImage) || credentials.state === 'revealed' || credentials.expires_at !== null;
  return (
    <Panel>
      <h2 className="flex items-center gap-2.5 text-lg">
        <KeyRound aria-hidden="true" className="size-5 text-brand" /> Log in
      </h2>
      {byKey && (
        <p className="mt-2 text-soft">
          Log in as <code className="font-mono text-ink">root</code> with the SSH key that you chose.
          {!hasPassword && ' There is no password.'}
        </p>
      )}
      {byImage && (
        <p className="mt-2 text-soft">
          Log in as the image that you brought along lets you: it takes neither key nor password from us.
        </p>
      )}
      {hasPassword && <PasswordReveal key={passwordNumber} server={server} />}
    </Panel>
  );
}

function PasswordReveal({ server }: { server: ServerWire }) {
  const queryClient = useQueryClient();
  const [idempotencyKey] = useState(newIdempotencyKey);
  const reveal = useMutation({
    mutationFn: () => revealCredentials(server.id, idempotencyKey),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['servers', server.id] }),
    gcTime: 0,
  });
  if (reveal.data)
    return (
      <div className="mt-4 grid animate-settle gap-3" role="status">
        <p className="font-medium">Save it now. It will not be shown again.</p>
        <div>
          <p className="mb-1.5 text-sm font-[550]">User name</p>
          <CopyLine label="username" text={reveal.data.username} />
        </div>
        <div>
          <p className="mb-1.5 text-sm font-[550]">Password</p>
          <CopyLine label="password" text={reveal.data.password} />
        </div>
      </div>
    );
  return (
    <div className="mt-2 grid justify-items-start gap-4">
      {reveal.error && <ErrorPanel error={reveal.error} title="The password cannot be shown" />}
      <PasswordState server={server} />
      {server.servery.credentials.state === 'available' && !server.locked && (
        <Button busy={reveal.isPending} onClick={() => reveal.mutate()}>
          <Eye aria-hidden="true" className="size-4" /> Show the password once
        </Button>
      )}
    </div>
  );
}

function PasswordState({ server }: { server: ServerWire }) {
  const { state, expires_at: expiresAt } = server.servery.credentials;
  if (state === 'available' && server.locked)
    return <p className="text-soft">The password can be shown when the server is ready again.</p>;
  switch (state) {
    case 'pending':
      return <p className="text-soft">The password will be ready when the server is.</p>;
    case 'available':
      return (
        <p className="text-soft">
          A password for <code className="font-mono text-ink">root</code> waits for you. It is shown a single
          time
          {expiresAt && `, until ${formatDate(expiresAt)}`}; have your password manager at hand.
        </p>
      );
    case 'revealed':
      return (
        <p className="text-soft">
          The password has been shown. If you lost it, ask for a new one under “Actions”.
        </p>
      );
    case 'expired':
      return (
        <p className="text-soft">The password was not fetched in time. Ask for a new one under “Actions”.</p>
      );
    case 'none':
      return (
        <p className="text-soft">
          Log in with the password that you know. If you lost it, ask for a new one under “Actions”.
        </p>
      );
  }
}
