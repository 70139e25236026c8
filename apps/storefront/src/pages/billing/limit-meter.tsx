import { Meter } from '@base-ui/react/meter';
import type { LimitsWire } from '#libs/contracts';
import { formatMinor } from '../../format.ts';

/** How far the spending limit of this month is reached, as a bar and in words. */
export function LimitMeter({ limits }: { limits: LimitsWire }) {
  const { spending, spent_minor: spent, currency } = limits;
  if (!spending) return null;
  const share = spent / spending.amount_minor;
  const words = `${formatMinor(spent, currency)} of ${formatMinor(spending.amount_minor, currency)}`;
  return (
    <Meter.Root
      value={spent}
      max={Math.max(spending.amount_minor, spent)}
      getAriaValueText={() => words}
      className="grid grid-cols-[1fr_auto] gap-x-4 gap-y-1.5 text-sm"
    >
      <Meter.Label className="text-soft">Spending limit</Meter.Label>
      <span className="text-right font-medium tabular-nums">{words}</span>
      <Meter.Track className="col-span-2 h-2 overflow-hidden rounded-full bg-line">
        <Meter.Indicator
          className={`rounded-full ${share >= 1 ? 'bg-bad' : share >= 0.8 ? 'bg-saffron' : 'bg-brand'}`}
        />
      </Meter.Track>
    </Meter.Root>
  );
}
