import { Link, type LinkProps } from '@tanstack/react-router';

interface TabsProps {
  /** What the pages have in common. */
  readonly label: string;
  readonly tabs: readonly (readonly [to: NonNullable<LinkProps['to']>, label: string])[];
  /** The first tab is the parent of the others, and not current while one of them is. */
  readonly exact?: boolean;
}

/** Links between pages that belong together; on narrow screens they scroll. */
export function Tabs({ label, tabs, exact = false }: TabsProps) {
  return (
    <nav aria-label={label} className="mb-8 flex gap-1 overflow-x-auto border-b border-line">
      {tabs.map(([to, name], index) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: exact && index === 0, includeSearch: false }}
          className="border-b-2 border-transparent px-3 py-2.5 font-medium whitespace-nowrap text-soft hover:text-ink [&.active]:border-saffron [&.active]:text-ink"
        >
          {name}
        </Link>
      ))}
    </nav>
  );
}
