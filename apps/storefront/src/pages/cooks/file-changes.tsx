import type { ImageChangesWire } from '#libs/contracts';

const WORDS = [
  ['added', 'Added'],
  ['changed', 'Changed'],
  ['removed', 'Removed'],
] as const;

/** Which files of the recipe differ; nothing where none does. */
export function FileChanges({ files }: { files: ImageChangesWire['files'] }) {
  const rows = WORDS.flatMap(([key, word]) => files[key].map((path) => ({ word, path })));
  if (rows.length === 0) return null;
  return (
    <ul aria-label="Files that differ" className="grid gap-1 text-[0.9375rem]">
      {rows.map(({ word, path }) => (
        <li key={path}>
          <span className="text-soft">{word}</span>{' '}
          <code className="font-mono text-sm wrap-anywhere">{path}</code>
        </li>
      ))}
    </ul>
  );
}
