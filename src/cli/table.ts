/**
 * A table as plain text: columns padded, numbers to the right, no frame.
 * @param headers one for each column
 * @param rows cells as they are to be shown
 */
export function formatTable(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headers.map((header, column) =>
    Math.max(header.length, ...rows.map((row) => cell(row, column).length)),
  );
  const numeric = headers.map((_, column) => rows.length > 0 && rows.every((row) => isNumber(cell(row, column))));
  const format = (row: readonly string[]) =>
    widths
      .map((width, column) => pad(cell(row, column), width, numeric[column] ?? false))
      .join('  ')
      .trimEnd();
  return [headers, widths.map((width) => '-'.repeat(width)), ...rows].map(format).join('\n');
}

function cell(row: readonly string[], column: number): string {
  return row[column] ?? '';
}

function isNumber(text: string): boolean {
  return /^-?[\d,.]+(?: ?(?:%|ms|s|[KMGT]?i?B))?$|^-$/.test(text);
}

function pad(text: string, width: number, right: boolean): string {
  return right ? text.padStart(width) : text.padEnd(width);
}
