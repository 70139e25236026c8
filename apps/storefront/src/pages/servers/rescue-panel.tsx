import { LifeBuoy } from 'lucide-react';
import { useState } from 'react';
import type { ServerExtraWire, ServerWire } from '#libs/contracts';
import { Button } from '../../components/button.tsx';
import { CopyLine } from '../../components/copy-button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Panel } from '../../components/section.tsx';
import { formatDate } from '../../format.ts';
import { EnableRescueDialog } from './enable-rescue-dialog.tsx';
import { isServerBusy, isServerSuspended } from './is-busy.ts';
import { useServerAction } from './use-server-action.ts';

type Rescue = NonNullable<ServerExtraWire['rescue']>;

/** A way into a server whose own system does not start: what is on, and how to leave it. The password is held here alone. */
export function RescuePanel({ server }: { server: ServerWire }) {
  const { rescue } = server.servery;
  const [choosing, setChoosing] = useState(false);
  const [told, setTold] = useState<string | null>(null);
  const [wasThere, setWasThere] = useState(rescue !== null);
  // It opens what was enabled with it, and nothing after that: a later action would show it again.
  if (wasThere !== (rescue !== null)) {
    setWasThere(rescue !== null);
    if (rescue === null) setTold(null);
  }
  const password = rescue || server.locked ? told : null;
  return (
    <Panel>
      <div className="flex flex-wrap items-start justify-between gap-4">
        <h2 className="flex items-center gap-2.5 text-lg">
          <LifeBuoy aria-hidden="true" className="size-5 text-brand" /> Rescue system
        </h2>
        {!rescue && (
          <Button
            look="secondary"
            size="small"
            disabled={isServerBusy(server) || isServerSuspended(server)}
            onClick={() => setChoosing(true)}
          >
            Enable it
          </Button>
        )}
      </div>
      {!rescue && !password && (
        <p className="mt-2 text-soft">
          A small Linux beside its own disk, for when its own system does not start: to look into that disk
          and to mend it.
        </p>
      )}
      {password && <Password text={password} />}
      {rescue && <RescueState server={server} rescue={rescue} />}
      {choosing && <EnableRescueDialog server={server} enabled={setTold} close={() => setChoosing(false)} />}
    </Panel>
  );
}

function Password({ text }: { text: string }) {
  return (
    <div className="mt-4 grid animate-settle gap-3" role="status">
      <p className="font-medium">
        Its password for <code className="font-mono">root</code>. Save it now; it will not be shown again.
      </p>
      <CopyLine label="rescue password" text={text} />
    </div>
  );
}

function RescueState({ server, rescue }: { server: ServerWire; rescue: Rescue }) {
  const { start, busy, error } = useServerAction(server.id, { started: () => {}, follow: false });
  const isOff = server.status === 'off';
  const boot = isOff ? 'poweron' : 'reset';
  const disabled = isServerBusy(server) || isServerSuspended(server) || busy;
  const isRunning = rescue.state === 'running';
  return (
    <div className="mt-3 grid justify-items-start gap-4">
      <div className="grid gap-2 text-soft">
        {isRunning ? (
          <>
            <p className="font-[600] text-ink">
              {isOff
                ? 'It was in its rescue system, and leaves it when it is powered on.'
                : 'It is in its rescue system.'}
            </p>
            <p>
              Its own disk is <code className="font-mono text-ink">/dev/vda</code> there, and not mounted. A
              reset starts it from that again, and the rescue system is thrown away.
            </p>
          </>
        ) : (
          <>
            <p className="font-[600] text-ink">Its next boot is from the rescue system.</p>
            <p>
              Reset it, or restart or power it on from “Actions”
              {rescue.expires_at && `, until ${formatDate(rescue.expires_at)}`}. A restart from within does
              not count.
            </p>
          </>
        )}
        <p>
          Log in as <code className="font-mono text-ink">root</code>, with{' '}
          {rescue.ssh_keys > 0 ? 'the SSH keys that you chose' : 'the password that you were shown'}.
        </p>
      </div>
      {rescue.host_key && (
        <details className="w-full text-sm">
          <summary className="cursor-pointer text-soft">The SSH host key of its rescue system</summary>
          <div className="mt-3">
            <CopyLine label="rescue host key" text={rescue.host_key} />
          </div>
        </details>
      )}
      {error && <ErrorPanel error={error} />}
      <div className="flex flex-wrap gap-2">
        <Button busy={busy} disabled={disabled} onClick={() => start(boot)}>
          {isRunning ? 'Back to its own system' : 'Start it now'}
        </Button>
        {!isRunning && (
          <Button look="secondary" disabled={disabled} onClick={() => start('disable_rescue')}>
            Disable it
          </Button>
        )}
      </div>
      <p className="text-sm text-soft">
        {!isOff && 'Either is like pressing the reset button: what has not been written to disk is lost.'}
      </p>
    </div>
  );
}
