import { Download, FolderOpen } from 'lucide-react';
import { useId, useRef } from 'react';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { saveAs } from '../../save-as.ts';
import { ProblemList } from './problem-list.tsx';
import type { Workbench } from './use-workbench.ts';
import { YamlEditor } from './yaml-editor.tsx';

/** The recipe as YAML: to be written, opened from a file and taken along as one, with what is wrong at its line. */
export function RecipeText({ work }: { work: Workbench }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const titleId = useId();
  const { text, problems, draft } = work;

  function goTo(line: number): void {
    const { current: area } = field;
    if (!area) return;
    const before = text.split('\n').slice(0, line - 1);
    const start = before.reduce((length, one) => length + one.length + 1, 0);
    const end = text.indexOf('\n', start);
    area.focus();
    area.setSelectionRange(start, end < 0 ? text.length : end);
    area.scrollTop = Math.max(0, (line - 5) * LINE_PX);
  }

  return (
    <section aria-labelledby={titleId} className="flex h-full flex-col gap-3">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h2 id={titleId} className="text-lg">
          The recipe
        </h2>
        <div className="flex gap-1.5">
          <OpenButton onOpen={work.setText} />
          <Button
            look="secondary"
            size="small"
            aria-label="Save the recipe as a file"
            onClick={() => saveAs(`${draft.name || 'recipe'}.yaml`, 'application/yaml', text)}
          >
            <Download aria-hidden="true" className="size-4" />
            <span className="max-sm:sr-only">File</span>
          </Button>
          <CopyButton text={text} label="recipe" />
        </div>
      </div>
      <YamlEditor
        label="Recipe as YAML"
        value={text}
        onChange={work.setText}
        wrongLines={new Set(problems.map(({ line }) => line))}
        field={field}
      />
      <ProblemList problems={problems} goTo={goTo} />
    </section>
  );
}

/** Of the editor's lines. */
const LINE_PX = 24;

function OpenButton({ onOpen }: { onOpen: (text: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        accept=".yaml,.yml,application/yaml,text/plain"
        aria-label="A recipe from a file"
        tabIndex={-1}
        className="sr-only"
        onChange={async ({ currentTarget }) => {
          const [file] = currentTarget.files ?? [];
          if (file) onOpen(await file.text());
          currentTarget.value = '';
        }}
      />
      <Button look="secondary" size="small" onClick={() => input.current?.click()}>
        <FolderOpen aria-hidden="true" className="size-4" />
        <span className="max-sm:sr-only">Open</span>
        <span className="sr-only"> a recipe from a file</span>
      </Button>
    </>
  );
}
