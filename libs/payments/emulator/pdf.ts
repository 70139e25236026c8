/** A page of A4 in points, and where its text stands. */
const WIDTH = 595;
const HEIGHT = 842;
const MARGIN = 56;
const LINE_POINTS = 15;
const LINES_PER_PAGE = Math.floor((HEIGHT - 2 * MARGIN) / LINE_POINTS);

/** Lines of text as a PDF document (1.4, Courier, WinAnsi). Characters that it lacks become `?`. */
export function pdfOf(lines: readonly string[]): Buffer {
  const pages = Array.from({ length: Math.max(1, Math.ceil(lines.length / LINES_PER_PAGE)) }, (_, index) =>
    lines.slice(index * LINES_PER_PAGE, (index + 1) * LINES_PER_PAGE),
  );
  const kids = pages.map((_, index) => `${4 + index * 2} 0 R`).join(' ');
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>',
    ...pages.flatMap((page, index) => [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${WIDTH} ${HEIGHT}] /Resources << /Font << /F 3 0 R >> >> /Contents ${5 + index * 2} 0 R >>`,
      streamOf(page),
    ]),
  ];
  return assemble(objects);
}

function streamOf(lines: readonly string[]): string {
  const shown = lines.map((line) => `(${escapeText(line)}) Tj T*`).join('\n');
  const text = `BT /F 9.5 Tf ${LINE_POINTS} TL ${MARGIN} ${HEIGHT - MARGIN} Td\n${shown}\nET`;
  return `<< /Length ${text.length} >>\nstream\n${text}\nendstream`;
}

function escapeText(line: string): string {
  return line
    .replaceAll(/[^\x20-\x7e\xa0-\xff]/g, '?')
    .replaceAll(/[\\()]/g, (character) => `\\${character}`);
}

/** Objects with the table that says at which byte each begins. */
function assemble(objects: readonly string[]): Buffer {
  let body = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const offset = body.length;
    body += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, '0')} 00000 n \n`;
  });
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.join('')}`;
  const trailer = `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`;
  return Buffer.from(`${body}${table}${trailer}`, 'latin1');
}
