import type { VolumeWire } from '#libs/contracts';
import { CheckBox } from '../../components/check-box.tsx';
import { formatGb } from '../../format.ts';

interface VolumesChooserProps {
  /** That no server has. */
  readonly free: readonly VolumeWire[];
  readonly chosen: readonly number[];
  readonly onChange: (chosen: number[]) => void;
  readonly automount: boolean;
  readonly onAutomountChange: (automount: boolean) => void;
}

/** Which of one's volumes the server has from the start. */
export function VolumesChooser({
  free,
  chosen,
  onChange,
  automount,
  onAutomountChange,
}: VolumesChooserProps) {
  const toggle = (id: number, isChosen: boolean) =>
    onChange(isChosen ? [...chosen, id] : chosen.filter((one) => one !== id));
  return (
    <div className="grid gap-3">
      {free.map(({ id, name, size, location }) => (
        <CheckBox
          key={id}
          label={
            <>
              <span className="font-[600]">{name}</span>{' '}
              <span className="text-soft">
                {formatGb(size)}, {location.name}
              </span>
            </>
          }
          checked={chosen.includes(id)}
          onChange={(isChosen) => toggle(id, isChosen)}
        />
      ))}
      {chosen.length > 0 && (
        <div className="mt-2 border-line border-t pt-4">
          <CheckBox
            label="Mount their file systems, at each boot"
            checked={automount}
            onChange={onAutomountChange}
          />
        </div>
      )}
    </div>
  );
}
