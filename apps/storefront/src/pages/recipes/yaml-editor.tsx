import { type KeyboardEvent, type RefObject, useMemo, useRef } from 'react';
import { type Shade, shadesOf } from '../../recipe/highlight.ts';

/** Longer text is shown without shades: painting it at each key would be slow. */
const SHADED_LENGTH = 30_000;

const SHADES: Readonly<Record<Shade, string>> = {
  key: 'text-brand',
  mark: 'text-soft',
  comment: 'text-soft italic',
  text: 'text-ink',
};

/** Gutter, shades and text lie upon each other, so they have all of it in common. */
const TYPE = 'font-mono text-[0.8125rem] leading-6 whitespace-pre [tab-size:2]';

interface YamlEditorProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly wrongLines: ReadonlySet<number>;
  readonly field: RefObject<HTMLTextAreaElement | null>;
}

/** A text field for YAML: numbered lines, those that are wrong marked, a new line as far in as the one before. */
export function YamlEditor({ label, value, onChange, wrongLines, field }: YamlEditorProps) {
  const gutter = useRef<HTMLDivElement>(null);
  const shades = useRef<HTMLPreElement>(null);
  const lines = value.split('\n').length;
  const isShaded = value.length <= SHADED_LENGTH;
  return (
    <div className="flex h-[28rem] min-h-48 overflow-hidden lg:h-auto lg:flex-1 rounded-control border border-line-strong bg-surface focus-within:outline-2 focus-within:outline-offset-2 focus-within:outline-focus">
      <div
        ref={gutter}
        aria-hidden="true"
        className={`${TYPE} shrink-0 overflow-hidden border-r border-line bg-sunken py-3 text-right text-soft select-none`}
      >
        {Array.from({ length: lines }, (_, index) => (
          <div
            // biome-ignore lint/suspicious/noArrayIndexKey: a line is known by its number alone
            key={index}
            className={`min-w-10 px-2.5 ${wrongLines.has(index + 1) ? 'bg-bad font-bold text-surface' : ''}`}
          >
            {index + 1}
          </div>
        ))}
      </div>
      <div className="relative min-w-0 flex-1">
        {isShaded && (
          <pre
            ref={shades}
            aria-hidden="true"
            className={`${TYPE} pointer-events-none absolute inset-0 overflow-hidden p-3`}
          >
            <Shades text={value} />
          </pre>
        )}
        <textarea
          ref={field}
          aria-label={label}
          aria-invalid={wrongLines.size > 0}
          value={value}
          wrap="off"
          spellCheck={false}
          autoCapitalize="none"
          autoComplete="off"
          onChange={(event) => onChange(event.currentTarget.value)}
          onKeyDown={indentNewLine}
          onScroll={({ currentTarget: { scrollTop, scrollLeft } }) => {
            if (gutter.current) gutter.current.scrollTop = scrollTop;
            shades.current?.scrollTo(scrollLeft, scrollTop);
          }}
          className={`${TYPE} absolute inset-0 size-full resize-none overflow-auto bg-transparent p-3 caret-ink outline-none ${isShaded ? 'text-transparent' : 'text-ink'}`}
        />
      </div>
    </div>
  );
}

function Shades({ text }: { text: string }) {
  const lines = useMemo(() => shadesOf(text), [text]);
  return lines.map((pieces, line) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a line is known by its number alone
    <span key={line}>
      {pieces.map(({ shade, text: piece }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: and a piece by its place in it
        <span key={index} className={SHADES[shade]}>
          {piece}
        </span>
      ))}
      {'\n'}
    </span>
  ));
}

/** As the browser's own editing does it, so that it can be undone. */
function indentNewLine(event: KeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key !== 'Enter' || event.nativeEvent.isComposing || event.ctrlKey || event.metaKey) return;
  const { value, selectionStart } = event.currentTarget;
  const line = value.slice(value.lastIndexOf('\n', selectionStart - 1) + 1, selectionStart);
  const indent = /^ */.exec(line)?.[0] ?? '';
  if (indent === '') return;
  event.preventDefault();
  document.execCommand('insertText', false, `\n${indent}`);
}
