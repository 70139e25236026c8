import { useQuery } from '@tanstack/react-query';
import { VOLUME_SIZE_MAX } from '#libs/contracts';
import { volumePriceQuery } from '../../api/volumes.ts';
import { TextField } from '../../components/text-field.tsx';
import { formatPrice } from '../../format.ts';

/** Whole GB as people type them; undefined for what is none, or too few or many. */
export function parseSize(text: string, atLeast: number): number | undefined {
  const size = /^\d{1,6}$/.test(text.trim()) ? Number(text) : Number.NaN;
  return size >= atLeast && size <= VOLUME_SIZE_MAX ? size : undefined;
}

interface SizeFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly atLeast: number;
  readonly showProblem: boolean;
  readonly refused: string | undefined;
}

/** How many GB, and what they cost in a month. */
export function SizeField({ label, value, onChange, atLeast, showProblem, refused }: SizeFieldProps) {
  const { data: price } = useQuery(volumePriceQuery);
  const size = parseSize(value, atLeast);
  const problem = `must be a whole number from ${atLeast} to ${VOLUME_SIZE_MAX}`;
  return (
    <TextField
      label={label}
      name="size"
      inputMode="numeric"
      hint={
        price && size !== undefined
          ? `${formatPrice(String(Number(price.perGbMonth) * size), price.currency)} in a month at most`
          : undefined
      }
      value={value}
      onValueChange={onChange}
      problem={refused ?? (showProblem && size === undefined ? problem : null)}
      autoComplete="off"
    />
  );
}
