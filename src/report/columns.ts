/** Aligned columns for terminals: display width, padding, wrapping, and which column gives way when space is short. */

export type Paint = (text: string) => string;

export interface Cell {
  readonly text: string;
  readonly paint: Paint;
}

export interface Column<Row> {
  readonly title: string;
  readonly align: "left" | "right";
  /** Lowest goes first when the line is too wide; null never goes. */
  readonly yields: number | null;
  readonly cell: (row: Row) => Cell;
}

export interface Layout<Row> {
  readonly shown: readonly Column<Row>[];
  /** Columns that found no place: the caller prints them beneath the row. */
  readonly yielded: readonly Column<Row>[];
  readonly header: string;
  readonly line: (row: Row) => string;
}

const GAP = "  ";
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}]/u;
const ZERO = /\p{Mark}|\u200b|\u200d/u;

/** Columns of a terminal that the text takes. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

/** Fills up to the width; text that is longer stays whole, since a cut price is a wrong price. */
export function pad(text: string, width: number, align: "left" | "right"): string {
  const fill = " ".repeat(Math.max(0, width - displayWidth(text)));
  return align === "left" ? text + fill : fill + text;
}

/** Chooses the columns that fit into `width` and aligns all rows by them. */
export function layOut<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): Layout<Row> {
  const measured = columns.map((column) => ({ column, width: columnWidth(column, rows) }));
  let shown = measured;
  while (totalWidth(shown) > width) {
    const next = nextToYield(shown.map(({ column }) => column));
    if (next === null) break;
    shown = shown.filter(({ column }) => column !== next);
  }
  const join = (cells: readonly string[]) => cells.join(GAP).trimEnd();
  return {
    shown: shown.map(({ column }) => column),
    yielded: columns.filter((column) => !shown.some((kept) => kept.column === column)),
    header: join(shown.map(({ column, width: columnSpan }) => pad(column.title, columnSpan, column.align))),
    line: (row) =>
      join(
        shown.map(({ column, width: columnSpan }, index) => {
          const { text, paint } = column.cell(row);
          const last = index === shown.length - 1 && column.align === "left";
          return paint(last ? text : pad(text, columnSpan, column.align));
        }),
      ),
  };
}

/** Breaks at spaces; a word longer than the width keeps its own line, uncut. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Wrapped text behind a label; further lines stand under the first one's text. */
export function hanging(label: string, text: string, width: number): readonly string[] {
  const indent = displayWidth(label);
  return wrap(text, Math.max(20, width - indent)).map(
    (line, index) => (index === 0 ? label : " ".repeat(indent)) + line,
  );
}

function columnWidth<Row>(column: Column<Row>, rows: readonly Row[]): number {
  return rows.reduce(
    (widest, row) => Math.max(widest, displayWidth(column.cell(row).text)),
    displayWidth(column.title),
  );
}

function totalWidth(columns: readonly { readonly width: number }[]): number {
  return columns.reduce((sum, column) => sum + column.width, 0) + GAP.length * (columns.length - 1);
}

function nextToYield<Row>(columns: readonly Column<Row>[]): Column<Row> | null {
  return columns.reduce<Column<Row> | null>((next, column) => {
    if (column.yields === null) return next;
    return next === null || next.yields === null || column.yields < next.yields ? column : next;
  }, null);
}
