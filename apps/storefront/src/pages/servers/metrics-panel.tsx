import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { MetricsWire, ServerWire } from '#libs/contracts';
import { serverMetricsQuery } from '../../api/metrics.ts';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Panel } from '../../components/section.tsx';
import { SelectField } from '../../components/select-field.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { formatBytes, formatDate } from '../../format.ts';
import { HEIGHT, pathOf, pointsOf, roundUp, WIDTH } from './metric-plot.ts';

/** By hours. */
const PERIODS = [
  ['1', 'The last hour'],
  ['24', 'The last day'],
  ['168', 'The last 7 days'],
  ['720', 'The last 30 days'],
] as const;

interface PlotSpec {
  readonly title: string;
  /** By the name that the API has for it: what the legend calls it. */
  readonly series: Readonly<Record<string, string>>;
  readonly unit: (value: number) => string;
}

const percent = (value: number) => `${Number(value.toPrecision(2))} %`;
const bandwidth = (value: number) => `${formatBytes(value)}/s`;
const PLOTS: readonly PlotSpec[] = [
  { title: 'CPU', series: { cpu: 'of one vCPU' }, unit: percent },
  {
    title: 'Disk',
    series: { 'disk.0.bandwidth.read': 'read', 'disk.0.bandwidth.write': 'written' },
    unit: bandwidth,
  },
  {
    title: 'Network',
    series: { 'network.0.bandwidth.in': 'in', 'network.0.bandwidth.out': 'out' },
    unit: bandwidth,
  },
];
const LOOKS = [
  { line: 'stroke-brand', dot: 'bg-brand' },
  { line: 'stroke-saffron', dot: 'bg-saffron' },
] as const;

/** What a server uses, over the time that is chosen. */
export function MetricsPanel({ server }: { server: ServerWire }) {
  const [hours, setHours] = useState<(typeof PERIODS)[number][0]>('1');
  const { data: metrics, error, refetch } = useQuery(serverMetricsQuery(server.id, Number(hours)));
  return (
    <Panel>
      <div className="flex flex-wrap items-end justify-between gap-4">
        <h2 className="text-lg">What it uses</h2>
        <SelectField label="Period" value={hours} onChange={setHours} options={PERIODS} />
      </div>
      {error && !metrics && <ErrorPanel error={error} retry={refetch} title="Its use could not be loaded" />}
      {!metrics && !error && <Skeleton className="mt-4 h-40" />}
      {metrics && (
        <div className="mt-4 grid gap-6">
          {PLOTS.map((plot) => (
            <Plot key={plot.title} plot={plot} metrics={metrics} />
          ))}
        </div>
      )}
    </Panel>
  );
}

function Plot({ plot: { title, series, unit }, metrics }: { plot: PlotSpec; metrics: MetricsWire }) {
  const lines = Object.entries(series).map(([key, name], index) => {
    const points = pointsOf(metrics, key);
    return { key, name, points, last: points.at(-1)?.[1], look: LOOKS[index] ?? LOOKS[0] };
  });
  const values = lines.flatMap(({ points }) => points.map(([, value]) => value));
  const top = roundUp(Math.max(0, ...values));
  return (
    <figure className="grid gap-2">
      <figcaption className="flex flex-wrap gap-x-5 gap-y-1 text-sm text-soft">
        <span className="font-[600] text-ink">{title}</span>
        {lines.map(({ key, name, last, look }) => (
          <span key={key} className="inline-flex items-center gap-2">
            <span aria-hidden="true" className={`size-2.5 rounded-sm ${look.dot}`} />
            {name}
            {last !== undefined && <span className="tabular-nums">: {unit(last)} now</span>}
          </span>
        ))}
      </figcaption>
      {values.length === 0 ? (
        <p className="text-sm text-soft">Nothing was measured in this time: it was off, or is new.</p>
      ) : (
        <div
          aria-hidden="true"
          className="grid grid-cols-[4.5rem_minmax(0,1fr)] gap-x-3 gap-y-1 text-xs text-soft"
        >
          <div className="flex h-24 flex-col justify-between text-right tabular-nums">
            <span className="-translate-y-1/2">{unit(top)}</span>
            <span className="translate-y-1/2">0</span>
          </div>
          <svg
            viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
            preserveAspectRatio="none"
            className="h-24 w-full overflow-visible"
          >
            <title>{title}</title>
            {[0, HEIGHT].map((y) => (
              <line
                key={y}
                x2={WIDTH}
                y1={y}
                y2={y}
                vectorEffect="non-scaling-stroke"
                className="stroke-line"
              />
            ))}
            {lines.map(({ key, points, look }) => (
              <path
                key={key}
                d={pathOf(points, metrics, top)}
                vectorEffect="non-scaling-stroke"
                strokeWidth={1.5}
                className={`fill-none ${look.line}`}
              />
            ))}
          </svg>
          <span />
          <span className="flex justify-between gap-4">
            <span>{formatDate(metrics.start)}</span>
            <span>{formatDate(metrics.end)}</span>
          </span>
        </div>
      )}
    </figure>
  );
}
