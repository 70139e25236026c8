import { useQuery } from '@tanstack/react-query';
import type { RehearsalStage } from '#libs/contracts';
import { outputQuery } from '../../api/rehearsals.ts';
import { Section } from '../../components/section.tsx';
import { formatBytes } from '../../format.ts';
import { plainText } from './plain-text.ts';

interface ScriptOutputProps {
  readonly rehearsalId: number;
  readonly stage: RehearsalStage;
  readonly title: string;
}

/** What the script prints, as it comes. */
export function ScriptOutput({ rehearsalId, stage, title }: ScriptOutputProps) {
  const { data } = useQuery(outputQuery(rehearsalId, stage));
  if (!data || (data.text === '' && data.isEnd)) return null;
  return (
    <Section title={title}>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a frame that scrolls must be reachable by keyboard
        tabIndex={0}
        className="max-h-96 overflow-auto rounded-card border border-line bg-sunken p-4 font-mono text-sm wrap-anywhere whitespace-pre-wrap"
      >
        {plainText(data.text) || 'Nothing was printed yet.'}
      </pre>
      {data.cutBytes > 0 && (
        <p className="mt-2 text-sm text-soft">{formatBytes(data.cutBytes)} more were printed and not kept.</p>
      )}
    </Section>
  );
}
