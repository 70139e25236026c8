/** Text that grows, as far as it was read. */
export interface WholeText {
  readonly text: string;
  readonly next: number;
  readonly isEnd: boolean;
  readonly cutBytes: number;
}

interface Slice {
  readonly text: string;
  readonly next: number;
  readonly is_end: boolean;
  readonly cut_bytes: number;
}

/** Reads on from where `known` ends: slices, one after another, until there is nothing more now. */
export async function readOn(
  known: WholeText | undefined,
  ask: (after: number) => Promise<Slice>,
): Promise<WholeText> {
  let { text, next } = known ?? { text: '', next: 0 };
  for (;;) {
    const slice = await ask(next);
    text += slice.text;
    const isEmpty = slice.next === next;
    next = slice.next;
    if (slice.is_end || isEmpty) return { text, next, isEnd: slice.is_end, cutBytes: slice.cut_bytes };
  }
}
