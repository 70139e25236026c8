import { CreditCard } from 'lucide-react';

interface CardLabelProps {
  readonly card: {
    readonly brand: string;
    readonly last4: string;
    readonly exp_month: number;
    readonly exp_year: number;
  };
}

export function CardLabel({ card }: CardLabelProps) {
  const brand = card.brand.charAt(0).toUpperCase() + card.brand.slice(1);
  return (
    <span className="flex items-center gap-3">
      <CreditCard aria-hidden="true" className="size-6 text-soft" strokeWidth={1.5} />
      <span>
        <span className="block font-[600]">
          {brand} ending in {card.last4}
        </span>
        <span className="block text-sm text-soft tabular-nums">
          Good until {String(card.exp_month).padStart(2, '0')}/{card.exp_year}
        </span>
      </span>
    </span>
  );
}
