import { Notice } from '../../components/notice.tsx';
import { Section } from '../../components/section.tsx';
import { ComponentsField } from './components-field.tsx';
import { FilesField } from './files-field.tsx';
import { HealthField } from './health-field.tsx';
import { NameFields } from './name-fields.tsx';
import { NeedsField } from './needs-field.tsx';
import { PackagesField } from './packages-field.tsx';
import { PortsField } from './ports-field.tsx';
import { ScriptField } from './script-field.tsx';
import { ServicesField } from './services-field.tsx';
import type { Workbench } from './use-workbench.ts';

/** The recipe by its parts. It writes into the text, and rests while that cannot be read. */
export function RecipeForm({ work }: { work: Workbench }) {
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-10">
      {!work.isReadable && (
        <Notice tone="warning" title="The recipe cannot be read as it stands">
          Mend its text; then you can go on here.
        </Notice>
      )}
      <fieldset
        disabled={!work.isReadable}
        className="grid min-w-0 grid-cols-[minmax(0,1fr)] gap-10 disabled:opacity-60"
      >
        <legend className="sr-only">The parts of the recipe</legend>
        <Section title="What is it?">
          <NameFields work={work} />
        </Section>
        <Section title="Components" hint="Thought through for images: each server gets secrets of its own.">
          <ComponentsField work={work} />
        </Section>
        <Section title="More of Debian">
          <PackagesField work={work} />
        </Section>
        <Section title="Files">
          <FilesField work={work} />
        </Section>
        <Section title="Services" hint="Packages enable their own.">
          <ServicesField work={work} />
        </Section>
        <Section title="At the first boot">
          <ScriptField work={work} />
        </Section>
        <Section title="Ports" hint="What its servers serve to others.">
          <PortsField work={work} />
        </Section>
        <Section title="Health" hint="What must pass before a server of it is handed over.">
          <HealthField work={work} />
        </Section>
        <Section title="Needs at least">
          <NeedsField work={work} />
        </Section>
      </fieldset>
    </div>
  );
}
