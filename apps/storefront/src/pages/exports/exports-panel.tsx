import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Download, Package } from 'lucide-react';
import { useState } from 'react';
import type { ExportWire } from '#libs/contracts';
import { deleteExport, type ExportSource, exportsQuery } from '../../api/exports.ts';
import { Button, buttonClass } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Panel } from '../../components/section.tsx';
import { formatBytes, formatDate } from '../../format.ts';
import { ExportDialog, FORMATS } from './export-dialog.tsx';

const WORDS = {
  server:
    'The whole server as one file, made while it runs. It starts on your own machines and needs nothing of ours.',
  image: 'The image as one file. It starts on your own machines and needs nothing of ours.',
} as const;

interface ExportsPanelProps {
  readonly source: ExportSource & { readonly name: string };
  readonly disabled?: boolean;
}

/** A server or an image as a file: the exports that were asked for, with how far each is, and its download. */
export function ExportsPanel({ source, disabled = false }: ExportsPanelProps) {
  const [asking, setAsking] = useState(false);
  const { data: exports } = useQuery(exportsQuery(source));
  return (
    <Panel>
      <div className="flex flex-wrap items-start justify-between gap-4">
        <h2 className="flex items-center gap-2.5 text-lg">
          <Package aria-hidden="true" className="size-5 text-brand" /> Take it home
        </h2>
        <Button look="secondary" size="small" disabled={disabled} onClick={() => setAsking(true)}>
          Export
        </Button>
      </div>
      <p className="mt-2 text-soft">{WORDS[source.type]}</p>
      {exports && exports.length > 0 && (
        <ul aria-label="Exports" className="mt-4 divide-y divide-line">
          {exports.map((one) => (
            <Exported key={one.id} exported={one} />
          ))}
        </ul>
      )}
      {asking && <ExportDialog source={source} close={() => setAsking(false)} />}
    </Panel>
  );
}

function Exported({ exported }: { exported: ExportWire }) {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteExport(exported),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['exports'] }),
  });
  const { format, created, download, file_name: fileName } = exported;
  const name = `${FORMATS[format].title} of ${formatDate(created)}`;
  return (
    <li className="grid gap-2 py-3">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <div className="min-w-0">
          <p className="font-medium">{name}</p>
          <p className="text-sm text-soft">{stateOf(exported)}</p>
        </div>
        <div className="flex gap-2">
          {download && (
            <a href={download.url} download={fileName ?? true} className={buttonClass('primary', 'small')}>
              <Download aria-hidden="true" className="size-4" /> Download
              <span className="sr-only"> {name}</span>
            </a>
          )}
          <Button look="quiet" size="small" busy={remove.isPending} onClick={() => remove.mutate()}>
            {exported.status === 'creating' ? 'Give up' : 'Delete'}
            <span className="sr-only"> {name}</span>
          </Button>
        </div>
      </div>
      {exported.status === 'creating' && <Progress percent={exported.progress} name={name} />}
      {exported.sha256 && (
        <p className="text-sm break-all text-soft">
          SHA-256 <code className="font-mono">{exported.sha256}</code>
          {download && (
            <>
              {' · '}
              <a href={download.manifest_url} className="underline">
                Manifest<span className="sr-only"> of {name}</span>
              </a>
            </>
          )}
        </p>
      )}
      {remove.error && <ErrorPanel error={remove.error} title="It stayed" />}
    </li>
  );
}

function Progress({ percent, name }: { percent: number; name: string }) {
  return (
    <progress
      aria-label={`Progress: ${name}`}
      value={percent}
      max={100}
      className="h-1.5 w-full overflow-hidden rounded-full accent-brand"
    />
  );
}

function stateOf({ status, progress, size_bytes: size, expires, error }: ExportWire): string {
  if (status === 'creating') return `Being made: ${progress} %`;
  if (status === 'failed') return error?.message ?? 'It could not be made.';
  if (status === 'expired') return 'Its file was removed, because its time was up.';
  return `${size === null ? '' : `${formatBytes(size)} · `}kept until ${expires ? formatDate(expires) : 'you delete it'}`;
}
