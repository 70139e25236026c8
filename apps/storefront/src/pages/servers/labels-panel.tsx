import { Tag } from 'lucide-react';
import { useState } from 'react';
import type { ServerWire } from '#libs/contracts';
import { Button } from '../../components/button.tsx';
import { Panel } from '../../components/section.tsx';
import { EditLabelsDialog } from './edit-labels-dialog.tsx';

/** The labels of a server, by which programs choose among many. */
export function LabelsPanel({ server }: { server: ServerWire }) {
  const [editing, setEditing] = useState(false);
  const labels = Object.entries(server.labels);
  return (
    <Panel>
      <div className="flex items-start justify-between gap-4">
        <h2 className="flex items-center gap-2.5 text-lg">
          <Tag aria-hidden="true" className="size-5 text-brand" /> Labels
        </h2>
        <Button
          look="secondary"
          size="small"
          disabled={server.status === 'deleting'}
          onClick={() => setEditing(true)}
        >
          Edit labels
        </Button>
      </div>
      {labels.length === 0 ? (
        <p className="mt-2 text-soft">
          None yet. With labels such as <code className="font-mono text-ink">env=production</code> you choose
          among many servers: <code className="font-mono text-ink">hcloud server list -l env=production</code>
        </p>
      ) : (
        <ul aria-label="Labels" className="mt-4 flex flex-wrap gap-2">
          {labels.map(([key, value]) => (
            <li
              key={key}
              className="max-w-full rounded-control border border-line bg-sunken px-2.5 py-1 font-mono text-sm break-all"
            >
              <span className="text-soft">{key}</span>
              {value && `=${value}`}
            </li>
          ))}
        </ul>
      )}
      {editing && <EditLabelsDialog server={server} close={() => setEditing(false)} />}
    </Panel>
  );
}
