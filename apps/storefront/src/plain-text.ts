/** What a terminal is told besides text: colours, titles, and movements (ECMA-48). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const SEQUENCES = /\x1b(?:\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x20-\x7e])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROLS = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g;

/** The output of a script as a page shows it; of a line that was overwritten in place the last state stays. */
export function plainText(output: string): string {
  return output.replace(SEQUENCES, '').replace(/\r+\n/g, '\n').replace(/^.*\r/gm, '').replace(CONTROLS, '');
}
