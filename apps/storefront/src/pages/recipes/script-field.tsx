import { TextField } from '../../components/text-field.tsx';
import { removeIn, setIn } from '../../recipe/edit-recipe.ts';
import type { Workbench } from './use-workbench.ts';

/** What each server of the image does once, at its first boot. */
export function ScriptField({ work: { draft, edit, problemAt } }: { work: Workbench }) {
  return (
    <TextField
      label="First-boot script"
      hint="Run once as root on each server, by the interpreter of its first line or /bin/sh. A server is not ready before it has ended well."
      name="first-boot-script"
      placeholder={'#!/bin/sh\nset -eu\n'}
      value={draft.firstBootScript}
      onValueChange={(script) =>
        edit((text) =>
          script === '' ? removeIn(text, ['first_boot_script']) : setIn(text, ['first_boot_script'], script),
        )
      }
      problem={problemAt('first_boot_script')}
      spellCheck={false}
      mono
      multiline
      rows={8}
    />
  );
}
