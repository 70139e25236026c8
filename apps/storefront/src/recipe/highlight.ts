/** What a piece of a line is to a reader. */
export type Shade = 'key' | 'mark' | 'comment' | 'text';

export interface Piece {
  readonly shade: Shade;
  readonly text: string;
}

const LINE = /^(\s*(?:- +)*-?\s*)((?:"[^"]*"|'[^']*'|[^\s#:"'[{][^#:]*?)\s*:(?=\s|$))?(.*)$/;
const COMMENT = /^((?:"[^"]*"|'[^']*'|[^"'#]|(?<=\S)#)*?)(?<=^|\s)(#.*)$/;
const BLOCK = /(?:^|\s)[|>][-+0-9]*\s*(?:#.*)?$/;

/** The pieces of each line of a YAML text, for the eye alone: together they are the text. */
export function shadesOf(source: string): Piece[][] {
  let blockIndent: number | undefined;
  return source.split('\n').map((line) => {
    const indent = line.search(/\S|$/);
    if (blockIndent !== undefined && (line.trim() === '' || indent > blockIndent)) {
      return [{ shade: 'text', text: line }];
    }
    blockIndent = BLOCK.test(line) && !line.trimStart().startsWith('#') ? indent : undefined;
    return piecesOf(line);
  });
}

function piecesOf(line: string): Piece[] {
  const [, text = line, comment = ''] = COMMENT.exec(line) ?? [];
  const [, mark = '', key = '', rest = ''] = LINE.exec(text) ?? [undefined, '', '', text];
  const pieces: Piece[] = [
    { shade: 'mark', text: mark },
    { shade: 'key', text: key },
    { shade: 'text', text: rest },
    { shade: 'comment', text: comment },
  ];
  return pieces.filter((piece) => piece.text !== '');
}
