/** What one begins with: the least that can be cooked. */
export const TEMPLATE = `name: my-image
base: debian-12
minimum:
  memory_mib: 512
  disk_gib: 4
`;

/** What is being written in this tab and was not saved yet; it outlives signing in. `of`: a recipe in a version, or a new one. */
const keyOf = (of: string) => `servery.recipe-draft.${of}`;

export function saveRecipeDraft(of: string, text: string): void {
  sessionStorage.setItem(keyOf(of), text);
}

export function readRecipeDraft(of: string): string | null {
  return sessionStorage.getItem(keyOf(of));
}

export function clearRecipeDraft(of: string): void {
  sessionStorage.removeItem(keyOf(of));
}
