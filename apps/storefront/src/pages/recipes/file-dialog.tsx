import { type FormEvent, useState } from 'react';
import { fileBytesOf, recipeFile } from '#libs/contracts';
import { Button } from '../../components/button.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { TextField } from '../../components/text-field.tsx';
import type { RecipeFileDraft } from '../../recipe/read-recipe.ts';

interface FileDialogProps {
  readonly file: RecipeFileDraft;
  readonly keep: (file: RecipeFileDraft) => void;
  readonly close: () => void;
}

const OWNERSHIP = [
  ['mode', 'Mode'],
  ['owner', 'Owner'],
  ['group', 'Group'],
] as const;

/** One file of the image: where it lies, what is in it, and whose it is. */
export function FileDialog({ file: given, keep, close }: FileDialogProps) {
  const [file, setFile] = useState(given);
  const [tried, setTried] = useState(false);
  const problems = tried ? problemsOf(file) : {};
  const change = (part: Partial<RecipeFileDraft>) => setFile({ ...file, ...part });

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    if (Object.keys(problemsOf(file)).length === 0) keep(file);
  }

  return (
    <FormDialog open onOpenChange={close} title={given.path ? 'File of the image' : 'A new file'}>
      <form noValidate onSubmit={submit} className="grid gap-4">
        <TextField
          label="Path"
          name="path"
          placeholder="/etc/motd"
          value={file.path}
          onValueChange={(path) => change({ path })}
          problem={problems.path}
          autoComplete="off"
          spellCheck={false}
          mono
        />
        {file.content_base64 === undefined ? (
          <TextField
            label="Content"
            name="content"
            value={file.content ?? ''}
            onValueChange={(content) => change({ content })}
            problem={problems.content}
            spellCheck={false}
            mono
            multiline
            rows={8}
          />
        ) : (
          <p className="text-[0.9375rem] text-soft">
            {fileBytesOf(file)} bytes that are no text: they go into the image as they are.
          </p>
        )}
        <div className="grid grid-cols-3 gap-3">
          {OWNERSHIP.map(([key, label]) => (
            <TextField
              key={key}
              label={label}
              name={key}
              value={file[key] ?? ''}
              onValueChange={(value) => change({ [key]: value })}
              problem={problems[key]}
              mono
            />
          ))}
        </div>
        <div className="flex justify-end gap-2">
          <Button look="secondary" onClick={close}>
            Cancel
          </Button>
          <Button type="submit">Put it in</Button>
        </div>
      </form>
    </FormDialog>
  );
}

/** By field, with the words of the API's own contract. */
function problemsOf(file: RecipeFileDraft): Readonly<Record<string, string>> {
  const parsed = recipeFile.safeParse(file);
  const issues = parsed.success ? [] : parsed.error.issues;
  return Object.fromEntries(issues.map(({ path, message }) => [String(path[0]), `It ${message}.`]));
}
