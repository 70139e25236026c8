const CALM =
  'amber basil birch cedar clover coral dusk ember fern hazel ivory juniper lark linden maple mint'.split(
    ' ',
  );
const DISH =
  'anise barley bramble brioche crumb damson ginger honey kettle larder pepper quince sesame truffle'.split(
    ' ',
  );

/** A friendly host name for people who do not care which one they get, such as `hazel-kettle-27`. */
export function suggestServerName(random: () => number = Math.random): string {
  const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)];
  return `${pick(CALM)}-${pick(DISH)}-${10 + Math.floor(random() * 90)}`;
}

/** What is wrong with a server's name (RFC 1123 host name of at most 63 characters), or null. */
export function serverNameProblem(name: string): string | null {
  if (name === '') return 'Give your server a name.';
  if (name.length > 63) return 'Use at most 63 characters.';
  if (/[A-Z]/.test(name)) return 'Use lower-case letters.';
  if (!/^[a-z0-9.-]+$/.test(name)) return 'Use letters, digits, hyphens and dots only.';
  const labels = name.split('.');
  if (labels.some((label) => label === '' || label.startsWith('-') || label.endsWith('-')))
    return 'Start and end each part with a letter or a digit.';
  return null;
}
