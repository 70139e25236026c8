import { Plus } from 'lucide-react';
import { useState } from 'react';
import type { AccountWire } from '#libs/contracts';
import { useCurrentProject } from '../../api/project.ts';
import { Button } from '../../components/button.tsx';
import { Choice, ChoiceGroup } from '../../components/choice.tsx';
import { Section } from '../../components/section.tsx';
import { useProjectChange } from '../../use-project-change.ts';
import { CreateProjectDialog } from './create-project-dialog.tsx';

/** The project that this tab works in: its servers, keys and tokens. */
export function ProjectsSection({ projects }: { projects: AccountWire['projects'] }) {
  const [creating, setCreating] = useState(false);
  const current = useCurrentProject(projects);
  const change = useProjectChange();
  return (
    <Section
      title="Projects"
      hint="Servers, SSH keys and API tokens belong to a project. You work in the one that is chosen."
      actions={
        <Button look="secondary" onClick={() => setCreating(true)}>
          <Plus aria-hidden="true" className="size-4" /> New project
        </Button>
      }
    >
      {(titleId) => (
        <>
          <ChoiceGroup
            labelledBy={titleId}
            value={String(current?.id)}
            onChange={(id) => void change(Number(id))}
          >
            {projects.map((project) => (
              <Choice key={project.id} value={String(project.id)}>
                <span className="font-[600]">{project.name}</span>
              </Choice>
            ))}
          </ChoiceGroup>
          {creating && <CreateProjectDialog close={() => setCreating(false)} />}
        </>
      )}
    </Section>
  );
}
