/** A text of the catalog: paragraphs, with `code` set apart. */
export function Prose({ text }: { text: string }) {
  return (
    <div className="grid max-w-prose gap-4">
      {text.split(/\n\s*\n/).map((paragraph) => (
        <p key={paragraph}>
          {paragraph.split(/(`[^`\n]+`)/).map((piece, index) =>
            index % 2 === 1 ? (
              // biome-ignore lint/suspicious/noArrayIndexKey: a piece is known by its place alone
              <code key={index} className="rounded-sm bg-sunken px-1 py-0.5 font-mono text-[0.9em]">
                {piece.slice(1, -1)}
              </code>
            ) : (
              piece
            ),
          )}
        </p>
      ))}
    </div>
  );
}
