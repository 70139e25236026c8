/** Servery's mark: a serving dome made of rack units, with its bell knob. */
export function LogoMark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden="true">
      <circle cx="16" cy="5.6" r="2.6" className="fill-saffron" />
      <g className="fill-brand">
        <path d="M8.4 13.2a12 12 0 0 1 15.2 0z" />
        <path d="M6.9 14.7h18.2a12 12 0 0 1 2.3 4.2H4.6a12 12 0 0 1 2.3-4.2z" />
        <path d="M4.2 20.4h23.6c.2 1 .3 2 .3 3.1H3.9c0-1.1.1-2.1.3-3.1z" />
        <rect x="1.5" y="25.2" width="29" height="2.8" rx="1.4" />
      </g>
    </svg>
  );
}
