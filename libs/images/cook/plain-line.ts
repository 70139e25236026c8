const MAX_CHARACTERS = 400;

/**
 * A line that foreign code printed, fit for a terminal, a log and a page: control characters and those that change the
 * direction of text are shown as `·`, and it is cut where it is long.
 */
export function plainLine(line: string): string {
  const characters = [...line.slice(0, 2 * MAX_CHARACTERS + 1)];
  const cut =
    characters.length > MAX_CHARACTERS ? [...characters.slice(0, MAX_CHARACTERS - 1), '…'] : characters;
  return cut
    .join('')
    .toWellFormed()
    .replace(/\t/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '·');
}
