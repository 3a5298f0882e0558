import { beginningOf, OperatorError } from '../errors.ts';
import type { Column } from './columns.ts';
import type { CsvRecord } from './csv-records.ts';
import type { ImportFile } from './import-files.ts';
import { readRecords } from './read-records.ts';

/**
 * Reads only the header of a file.
 * @throws OperatorError when the file cannot be read or its header is not that of its table
 */
export async function checkHeader(file: ImportFile, columns: readonly Column[]): Promise<void> {
  for await (const [header] of readRecords(file)) {
    if (header) return void columnPositions(file, header, columns);
  }
  throw refused(file, 'it is empty', columns);
}

/**
 * Where the header has each of the columns.
 * @throws OperatorError unless it names exactly these columns, in any order
 */
export function columnPositions(file: ImportFile, header: CsvRecord, columns: readonly Column[]): number[] {
  if (header.problem) throw refused(file, header.problem, columns);
  const names = columns.map(({ name }) => name);
  const surplus = header.fields.filter((name, index) => !names.includes(name) || header.fields.indexOf(name) !== index);
  const missing = names.filter((name) => !header.fields.includes(name));
  const problems = [
    ...surplus.map((name) => (names.includes(name) ? `${name} stands twice` : `${shown(name)} is not a column of it`)),
    ...missing.map((name) => `${name} is missing`),
  ];
  if (problems.length > 0) throw refused(file, problems.join(', '), columns);
  return names.map((name) => header.fields.indexOf(name));
}

function refused(file: ImportFile, why: string, columns: readonly Column[]): OperatorError {
  return new OperatorError(
    `${file.path} does not begin with the header of ${file.table}: ${why}. Nothing was imported.`,
    `Its first line must name these columns, in any order: ${columns.map(({ name }) => name).join(',')}`,
  );
}

function shown(name: string): string {
  return JSON.stringify(name.length > 40 ? `${beginningOf(name, 40)}…` : name);
}
