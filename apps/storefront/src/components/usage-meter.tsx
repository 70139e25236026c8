import { Meter } from '@base-ui/react/meter';

interface UsageMeterProps {
  readonly label: string;
  readonly used: number;
  readonly total: number;
  readonly unit?: string;
}

/** How much of something is in use, as a bar and in words. */
export function UsageMeter({ label, used, total, unit = '' }: UsageMeterProps) {
  const share = total > 0 ? used / total : 0;
  const suffix = unit && ` ${unit}`;
  return (
    <Meter.Root
      value={used}
      max={Math.max(total, used, 1)}
      getAriaValueText={() => `${used} of ${total}${suffix}`}
      className="grid min-w-28 grid-cols-[1fr_auto] gap-x-4 gap-y-1.5 text-sm"
    >
      <Meter.Label className="text-soft">{label}</Meter.Label>
      <span className="text-right font-medium whitespace-nowrap tabular-nums">
        {used} / {total}
        {suffix}
      </span>
      <Meter.Track className="col-span-2 h-2 overflow-hidden rounded-full bg-line">
        <Meter.Indicator
          className={`rounded-full ${share > 0.9 ? 'bg-bad' : share > 0.7 ? 'bg-saffron' : 'bg-brand'}`}
        />
      </Meter.Track>
    </Meter.Root>
  );
}
