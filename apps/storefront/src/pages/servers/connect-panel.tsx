import { Link } from '@tanstack/react-router';
import { ExternalLink, Monitor, SquareTerminal } from 'lucide-react';
import type { ServerWire } from '#libs/contracts';
import { buttonClass } from '../../components/button.tsx';
import { CopyLine } from '../../components/copy-button.tsx';
import { Panel } from '../../components/section.tsx';

/** The ways to reach a server: commands to copy, addresses to open. */
export function ConnectPanel({ server }: { server: ServerWire }) {
  const { access, rescue } = server.servery;
  // A rescue system has its own, which its panel shows.
  const hostKey = rescue?.state === 'running' ? null : server.servery.host_key;
  return (
    <Panel>
      <h2 className="flex items-center gap-2.5 text-lg">
        <SquareTerminal aria-hidden="true" className="size-5 text-brand" /> Connect
      </h2>
      {access.length === 0 && <p className="mt-2 text-soft">Its addresses appear here when it runs.</p>}
      <ul className="mt-4 grid gap-4">
        {access.map((way) => (
          <li key={`${way.service}-${way.port}`} data-service={way.service.toLowerCase()}>
            <p className="mb-1.5 text-sm font-[550]">
              {SERVICE_NAMES[way.service.toLowerCase()] ?? way.service}
            </p>
            {way.command && <CopyLine label={`${way.service} command`} text={way.command} />}
            {way.url && (
              <a
                href={way.url}
                target="_blank"
                rel="noreferrer"
                className={`${buttonClass('secondary')} max-w-full`}
              >
                <span className="truncate">{way.url}</span>
                <ExternalLink aria-hidden="true" className="size-4 shrink-0" />
                <span className="sr-only">(opens in a new tab)</span>
              </a>
            )}
            {!way.command && !way.url && (
              <CopyLine label={`${way.service} address`} text={`${way.host}:${way.port}`} />
            )}
          </li>
        ))}
      </ul>
      {server.status !== 'off' && server.servery.ready && (
        <Link
          to="/servers/$serverId/console"
          params={{ serverId: server.id }}
          className={`${buttonClass('secondary')} mt-5`}
        >
          <Monitor aria-hidden="true" className="size-4" /> Open its console
        </Link>
      )}
      {hostKey && (
        <details className="mt-5 text-sm">
          <summary className="cursor-pointer text-soft">
            Its SSH host key, to check the first connection
          </summary>
          <div className="mt-3">
            <CopyLine label="host key" text={hostKey} />
          </div>
        </details>
      )}
    </Panel>
  );
}

const SERVICE_NAMES: Readonly<Record<string, string>> = {
  ssh: 'Terminal (SSH)',
  http: 'Web page',
  https: 'Web page',
};
