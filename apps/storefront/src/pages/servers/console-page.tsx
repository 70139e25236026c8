import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { ChevronLeft } from 'lucide-react';
import { type KeyboardEvent, useRef, useState } from 'react';
import { serverQuery } from '../../api/servers.ts';
import { Button } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Notice } from '../../components/notice.tsx';
import { Page } from '../../components/page.tsx';
import { type ConsoleState, type ConsoleType, useConsole } from '../../console/use-console.ts';

const TYPES: Readonly<Record<ConsoleType, { readonly name: string; readonly hint: string }>> = {
  vnc: { name: 'Screen', hint: 'What a monitor would show, from the first moment on.' },
  serial: { name: 'Serial port', hint: 'Text alone: it can be copied, and scrolled back.' },
};

/** A server's screen or serial port. */
export function ConsolePage() {
  const { serverId } = useParams({ from: '/servers/$serverId/console' });
  const { type = 'vnc' } = useSearch({ from: '/servers/$serverId/console' });
  const { data: server } = useQuery(serverQuery(serverId));
  const [attempt, setAttempt] = useState(0);
  return (
    <Page
      title={server ? `Console of ${server.name}` : 'Console'}
      lead={TYPES[type].hint}
      above={
        <Link
          to="/servers/$serverId"
          params={{ serverId }}
          className="mb-6 inline-flex items-center gap-1 text-sm text-soft hover:text-ink hover:underline"
        >
          <ChevronLeft aria-hidden="true" className="size-4" /> {server?.name ?? 'The server'}
        </Link>
      }
    >
      <nav aria-label="Kind of console" className="mb-4 flex gap-1 border-b border-line">
        {(Object.keys(TYPES) as ConsoleType[]).map((one) => (
          <Link
            key={one}
            to="/servers/$serverId/console"
            params={{ serverId }}
            search={{ type: one }}
            replace
            aria-current={one === type ? 'page' : undefined}
            className="border-b-2 border-transparent px-3 py-2.5 font-medium text-soft hover:text-ink aria-[current=page]:border-saffron aria-[current=page]:text-ink"
          >
            {TYPES[one].name}
          </Link>
        ))}
      </nav>
      <Console
        key={`${type} ${attempt}`}
        serverId={serverId}
        type={type}
        attempt={attempt}
        openAgain={() => setAttempt(attempt + 1)}
      />
    </Page>
  );
}

interface ConsoleProps {
  readonly serverId: number;
  readonly type: ConsoleType;
  readonly attempt: number;
  readonly openAgain: () => void;
}

function Console({ serverId, type, attempt, openAgain }: ConsoleProps) {
  const place = useRef<HTMLDivElement>(null);
  const leave = useRef<HTMLButtonElement>(null);
  const { state, sight } = useConsole(serverId, type, place, attempt);

  /** The machine gets every key, Tab and Escape too, but for these. */
  function leaveByKeys(event: KeyboardEvent): void {
    if (!(event.ctrlKey && event.shiftKey && event.key === 'F6')) return;
    event.preventDefault();
    event.stopPropagation();
    leave.current?.focus();
  }
  return (
    <div className="grid gap-3">
      <ConsoleStateNotice state={state} openAgain={openAgain} />
      <section
        aria-label={TYPES[type].name}
        onKeyDownCapture={leaveByKeys}
        className={`h-[65vh] min-h-72 overflow-hidden rounded-card bg-[#000] p-2 ${state.is === 'open' ? '' : 'opacity-60'}`}
      >
        <div ref={place} className="size-full font-mono" />
      </section>
      <div className="flex flex-wrap items-center gap-2 text-sm text-soft">
        <Button
          ref={leave}
          look="secondary"
          size="small"
          onClick={() => sight.current?.focus()}
          disabled={state.is !== 'open'}
        >
          Type into it
        </Button>
        {type === 'vnc' && (
          <Button
            look="secondary"
            size="small"
            onClick={() => sight.current?.pressCtrlAltDelete?.()}
            disabled={state.is !== 'open'}
          >
            Ctrl + Alt + Delete
          </Button>
        )}
        <p>Ctrl + Shift + F6 takes the keyboard back to this page.</p>
      </div>
    </div>
  );
}

function ConsoleStateNotice({ state, openAgain }: { state: ConsoleState; openAgain: () => void }) {
  if (state.is === 'refused')
    return <ErrorPanel error={state.error} retry={openAgain} title="It was not opened" />;
  if (state.is === 'ended')
    return (
      <Notice
        tone="warning"
        title="This console has ended"
        actions={
          <Button size="small" onClick={openAgain}>
            Open it again
          </Button>
        }
      >
        <p role="status">{sentence(state.reason)}</p>
      </Notice>
    );
  return (
    <p role="status" className="text-sm text-soft">
      {state.is === 'open' ? 'Connected.' : 'Connecting…'}
    </p>
  );
}

function sentence(reason: string): string {
  const words = reason === '' ? 'the connection broke' : reason;
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}.`;
}
