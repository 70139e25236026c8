import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { AccountWire } from '#libs/contracts';
import { chooseProject, currentProjectId } from '../../api/project.ts';
import { Choice, ChoiceGroup } from '../../components/choice.tsx';
import { Section } from '../../components/section.tsx';

/** The project that this tab works in: its servers, keys and tokens. */
export function ProjectsSection({ projects }: { projects: AccountWire['projects'] }) {
  const queryClient = useQueryClient();
  const [current, setCurrent] = useState(() => String(currentProjectId() ?? projects[0]?.id));

  function choose(id: string): void {
    setCurrent(id);
    chooseProject(Number(id));
    void queryClient.invalidateQueries();
  }
  return (
    <Section title="Project" hint="Servers, SSH keys and API tokens belong to a project.">
      {(titleId) => (
        <ChoiceGroup labelledBy={titleId} value={current} onChange={choose}>
          {projects.map((project) => (
            <Choice key={project.id} value={String(project.id)}>
              <span className="font-[600]">{project.name}</span>
            </Choice>
          ))}
        </ChoiceGroup>
      )}
    </Section>
  );
}
