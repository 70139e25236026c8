/** In stock or not, by the fleet's free capacity. */
export function StockMark({ inStock }: { inStock: boolean }) {
  return inStock ? (
    <span className="inline-flex items-center gap-1.5 rounded-full bg-brand-tint px-2.5 py-1 text-xs font-[600] text-good dark:text-brand">
      <span aria-hidden="true" className="size-1.5 rounded-full bg-current" />
      In stock
    </span>
  ) : (
    <span className="inline-flex items-center gap-1.5 rounded-full bg-sunken px-2.5 py-1 text-xs font-[600] text-soft">
      <span aria-hidden="true" className="size-1.5 rounded-full border border-current" />
      Sold out
    </span>
  );
}
