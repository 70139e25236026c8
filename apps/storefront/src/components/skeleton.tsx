/** Grey shapes where content is about to be; screen readers hear one word instead. */
export function Skeleton({ className = 'h-5', count = 1 }: { className?: string; count?: number }) {
  return (
    <>
      <span role="status" className="sr-only">
        Loading…
      </span>
      {Array.from({ length: count }, (_, index) => (
        <div
          // biome-ignore lint/suspicious/noArrayIndexKey: the shapes are all alike and never move
          key={index}
          aria-hidden="true"
          className={`animate-skeleton rounded-card bg-line/70 ${className}`}
        />
      ))}
    </>
  );
}
