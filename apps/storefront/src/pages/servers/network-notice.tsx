import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { ServerWire } from '#libs/contracts';
import { Button } from '../../components/button.tsx';
import { ConfirmDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Notice } from '../../components/notice.tsx';
import { useServerAction } from './use-server-action.ts';

const WORDS = {
  isolated: {
    title: 'It is on the isolated network',
    text: 'It can be reached, and opens no connection itself: no mail, no web, nothing.',
  },
  closed: {
    title: 'It is unplugged',
    text: 'It has the address of the server that it is a copy of, and can be plugged in when that one is deleted.',
  },
  open: { title: 'Its timers are held', text: 'Cron and timers rest in it.' },
} as const;

/** What a clone's network lets through, for as long as that is not all. */
export function NetworkNotice({ server }: { server: ServerWire }) {
  const { network, holds_timers: holdsTimers, clone, ready } = server.servery;
  const [asking, setAsking] = useState(false);
  const { start, busy, error, clear } = useServerAction(server.id, {
    started: () => setAsking(false),
    follow: false,
  });
  if (network === 'open' && !holdsTimers) return null;
  const { title, text } = WORDS[network];
  const close = () => {
    setAsking(false);
    clear();
  };
  return (
    <>
      <Notice
        title={title}
        actions={
          <Button
            look="secondary"
            size="small"
            disabled={!ready || server.locked || busy}
            onClick={() => setAsking(true)}
          >
            Open network
          </Button>
        }
      >
        {text} {network !== 'open' && holdsTimers && 'Cron and timers rest in it until then. '}
        {clone && (
          <Link
            to="/servers/$serverId"
            params={{ serverId: clone.original_id }}
            className="underline hover:no-underline"
          >
            See its original
          </Link>
        )}
      </Notice>
      <ConfirmDialog
        open={asking}
        onOpenChange={close}
        title={`Open the network of ${server.name}?`}
        confirm="Open network"
        busy={busy}
        onConfirm={() => start('open_network')}
      >
        <p>
          What runs in it reaches the world then, as its original does: mails that wait are sent, and
          {holdsTimers ? ' cron and timers start.' : ' jobs do what they do.'} This is not taken back.
        </p>
        {error && <ErrorPanel error={error} title="Its network was not opened" />}
      </ConfirmDialog>
    </>
  );
}
