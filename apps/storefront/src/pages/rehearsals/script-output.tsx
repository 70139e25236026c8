import { useQuery } from '@tanstack/react-query';
import type { RehearsalStage } from '#libs/contracts';
import { outputQuery } from '../../api/rehearsals.ts';
import { Printed } from '../../components/printed.tsx';
import { Section } from '../../components/section.tsx';

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
      <Printed label={title} printed={data} />
    </Section>
  );
}
