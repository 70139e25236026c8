import { FilePlus2, Upload } from 'lucide-react';
import { useRef, useState } from 'react';
import { fileBytesOf, RECIPE_LIMITS } from '#libs/contracts';
import { Button } from '../../components/button.tsx';
import { Notice } from '../../components/notice.tsx';
import { formatBytes } from '../../format.ts';
import { addTo, removeIn, setIn } from '../../recipe/edit-recipe.ts';
import { contentOf, sayRoom, whyTooLarge } from '../../recipe/file-content.ts';
import type { RecipeFileDraft } from '../../recipe/read-recipe.ts';
import { FileDialog } from './file-dialog.tsx';
import type { Workbench } from './use-workbench.ts';

interface Editing {
  readonly file: RecipeFileDraft;
  /** Undefined: it is not in the recipe yet. */
  readonly index?: number;
}

const NEW_FILE: RecipeFileDraft = { path: '', content: '', mode: '0644', owner: 'root', group: 'root' };

/** The files that the image gets: written here, or small ones from the visitor's computer. */
export function FilesField({ work: { draft, edit, problemAt } }: { work: Workbench }) {
  const tooLarge = problemAt('files');
  const [editing, setEditing] = useState<Editing | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);

  async function upload(file: File): Promise<void> {
    const why = whyTooLarge(file.size, draft.files);
    setProblem(why === undefined ? null : `${file.name} has ${formatBytes(file.size)}. ${why}`);
    if (why !== undefined) return;
    const bytes = new Uint8Array(await file.arrayBuffer());
    const { content: _, ...blank } = NEW_FILE;
    setEditing({ file: { ...blank, path: `/opt/${file.name}`, ...contentOf(bytes) } });
  }

  function keep(file: RecipeFileDraft): void {
    const { index } = editing ?? {};
    const said = withoutDefaults(file);
    edit((text) =>
      index === undefined ? addTo(text, ['files'], said) : setIn(text, ['files', index], said),
    );
    setEditing(null);
  }

  return (
    <div className="grid gap-3">
      {problem && (
        <Notice tone="bad" title="It is too large" onClose={() => setProblem(null)}>
          {problem}
        </Notice>
      )}
      {draft.files.length > 0 && (
        <ul aria-label="Files" className="divide-y divide-line rounded-control border border-line bg-surface">
          {draft.files.map((file, index) => (
            <FileRow
              // biome-ignore lint/suspicious/noArrayIndexKey: while one writes, two may have the same path
              key={`${index} ${file.path}`}
              file={file}
              problem={problemAt('files', index) ?? problemAt('files', index, 'path')}
              onEdit={() => setEditing({ file, index })}
              onRemove={() => edit((text) => removeIn(text, ['files', index]))}
            />
          ))}
        </ul>
      )}
      <p className="text-sm text-soft">
        {sayRoom(draft.files)} are taken; a file has at most {RECIPE_LIMITS.fileBytes / 1024} KiB.
      </p>
      {tooLarge && (
        <p role="alert" className="text-sm font-medium text-bad">
          {tooLarge}
        </p>
      )}
      <div className="flex flex-wrap gap-2">
        <Button look="secondary" onClick={() => setEditing({ file: NEW_FILE })}>
          <FilePlus2 aria-hidden="true" className="size-4" /> Write a file
        </Button>
        <input
          ref={input}
          type="file"
          aria-label="A file for the image"
          tabIndex={-1}
          className="sr-only"
          onChange={({ currentTarget }) => {
            const [file] = currentTarget.files ?? [];
            if (file) void upload(file);
            currentTarget.value = '';
          }}
        />
        <Button look="secondary" onClick={() => input.current?.click()}>
          <Upload aria-hidden="true" className="size-4" /> Upload one
        </Button>
      </div>
      {editing && <FileDialog file={editing.file} keep={keep} close={() => setEditing(null)} />}
    </div>
  );
}

interface FileRowProps {
  readonly file: RecipeFileDraft;
  readonly problem: string | undefined;
  readonly onEdit: () => void;
  readonly onRemove: () => void;
}

function FileRow({ file, problem, onEdit, onRemove }: FileRowProps) {
  const { path, mode, owner } = file;
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 py-2 pr-2 pl-4">
      <div className="min-w-0">
        <p className="font-mono text-sm wrap-anywhere">{path || 'without a path'}</p>
        <p className="text-sm text-soft">
          {fileBytesOf(file)} bytes · {mode} · {owner}
        </p>
        {problem && <p className="text-sm font-medium text-bad">{problem}</p>}
      </div>
      <div className="flex">
        <Button look="quiet" size="small" onClick={onEdit}>
          Edit<span className="sr-only"> {path}</span>
        </Button>
        <Button look="quiet" size="small" onClick={onRemove}>
          Remove<span className="sr-only"> {path}</span>
        </Button>
      </div>
    </li>
  );
}

/** What goes without saying is not written. */
function withoutDefaults({ path, content, content_base64: encoded, mode, owner, group }: RecipeFileDraft) {
  return {
    path,
    ...(mode !== undefined && mode !== '0644' && { mode }),
    ...(owner !== undefined && owner !== 'root' && { owner }),
    ...(group !== undefined && group !== 'root' && { group }),
    ...(content === undefined ? { content_base64: encoded ?? '' } : { content }),
  };
}
