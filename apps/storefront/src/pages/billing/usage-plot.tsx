import type { UsageWire } from '#libs/contracts';
import { Cell, Table } from '../../components/table.tsx';
import { formatDay, formatMonth, formatPrice } from '../../format.ts';
import { type PlotDay, plotDays, roundUp, SERIES, type Series } from './day-plot.ts';

const LOOK: Readonly<Record<Series, { readonly name: string; readonly fill: string; readonly dot: string }>> =
  {
    compute: { name: 'CPU and RAM', fill: 'fill-brand', dot: 'bg-brand' },
    disk: { name: 'Disk', fill: 'fill-saffron', dot: 'bg-saffron' },
    other: { name: 'Other', fill: 'fill-line-strong', dot: 'bg-line-strong' },
  };
const HEIGHT = 100;
const GAP = 0.18;
/** Days under which a number stands. */
const LABELLED = new Set([1, 5, 10, 15, 20, 25]);

interface UsagePlotProps {
  /** By day and kind. */
  readonly usage: readonly UsageWire[];
  readonly month: string;
  readonly currency: string;
}

/** What each day of a month cost, as bars; the same as a table for those who read it or count it. */
export function UsagePlot({ usage, month, currency }: UsagePlotProps) {
  const days = plotDays(usage, month);
  const top = roundUp(Math.max(...days.map(({ total }) => total)));
  const shown = SERIES.filter((series) => days.some(({ of }) => of[series] > 0));
  const money = (amount: number) => formatPrice(String(amount), currency);
  return (
    <figure className="grid gap-4">
      <figcaption className="flex flex-wrap gap-x-5 gap-y-1 text-sm text-soft">
        <span className="sr-only">Cost by day of {formatMonth(month)}, before tax.</span>
        {shown.map((series) => (
          <span key={series} className="inline-flex items-center gap-2">
            <span aria-hidden="true" className={`size-2.5 rounded-sm ${LOOK[series].dot}`} />
            {LOOK[series].name}
          </span>
        ))}
      </figcaption>
      <div
        aria-hidden="true"
        className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-1.5 text-xs text-soft"
      >
        <div className="flex h-44 flex-col justify-between text-right tabular-nums">
          <span className="-translate-y-1/2">{money(top)}</span>
          <span>{money(top / 2)}</span>
          <span className="translate-y-1/2">0</span>
        </div>
        <Bars days={days} top={top} money={money} />
        <span />
        <Days days={days} />
      </div>
      <details className="text-[0.9375rem]">
        <summary className="cursor-pointer font-medium">Show as a table</summary>
        <div className="mt-3">
          <DayTable days={days} shown={shown} money={money} />
        </div>
      </details>
    </figure>
  );
}

interface BarsProps {
  readonly days: readonly PlotDay[];
  readonly top: number;
  readonly money: (amount: number) => string;
}

function Bars({ days, top, money }: BarsProps) {
  return (
    <svg
      viewBox={`0 0 ${days.length} ${HEIGHT}`}
      preserveAspectRatio="none"
      className="h-44 w-full overflow-visible"
    >
      <title>Cost by day</title>
      {[0, HEIGHT / 2, HEIGHT].map((y) => (
        <line
          key={y}
          x1={0}
          x2={days.length}
          y1={y}
          y2={y}
          vectorEffect="non-scaling-stroke"
          className={y === HEIGHT ? 'stroke-line-strong' : 'stroke-line'}
        />
      ))}
      {days.map((day, index) => (
        <g key={day.day}>
          <title>{`${formatDay(day.day)}: ${money(day.total)}`}</title>
          <rect x={index} y={0} width={1} height={HEIGHT} className="fill-transparent" />
          {stacked(day, top).map(({ series, y, height }) => (
            <rect
              key={series}
              x={index + GAP / 2}
              y={y}
              width={1 - GAP}
              height={height}
              className={LOOK[series].fill}
            />
          ))}
        </g>
      ))}
    </svg>
  );
}

/** The parts of a day's bar, from the axis up. */
function stacked(day: PlotDay, top: number): { series: Series; y: number; height: number }[] {
  let below = 0;
  return SERIES.map((series) => {
    const height = (day.of[series] / top) * HEIGHT;
    below += height;
    return { series, y: HEIGHT - below, height };
  });
}

function Days({ days }: { days: readonly PlotDay[] }) {
  return (
    <div className="flex tabular-nums">
      {days.map(({ day }, index) => (
        <span key={day} className="w-0 flex-1 overflow-visible text-center whitespace-nowrap">
          {LABELLED.has(index + 1) || index + 1 === days.length ? index + 1 : ''}
        </span>
      ))}
    </div>
  );
}

interface DayTableProps {
  readonly days: readonly PlotDay[];
  readonly shown: readonly Series[];
  readonly money: (amount: number) => string;
}

function DayTable({ days, shown, money }: DayTableProps) {
  return (
    <Table
      caption="Cost by day, before tax"
      columns={['Day', ...shown.map((one) => LOOK[one].name), 'Total']}
    >
      {days
        .filter(({ total }) => total > 0)
        .map((day) => (
          <tr key={day.day}>
            <Cell className="whitespace-nowrap">{formatDay(day.day)}</Cell>
            {shown.map((series) => (
              <Cell key={series} className="tabular-nums">
                {money(day.of[series])}
              </Cell>
            ))}
            <Cell className="font-medium tabular-nums">{money(day.total)}</Cell>
          </tr>
        ))}
    </Table>
  );
}
