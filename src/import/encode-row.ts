import { beginningOf } from '../errors.ts';
import type { Column } from './columns.ts';
import type { CsvRecord } from './csv-records.ts';

/** How COPY's text format writes null. */
const NULL = '\\N';
/** What COPY's text format needs escaped. */
const SPECIAL = /[\\\t\n\r]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
/** Of a value in a reason; the row itself stands beside it. */
const SHOWN_CHARACTERS = 60;

/**
 * A row as a line for COPY: file, line, problem, then the columns. A row with a problem has none of
 * them.
 */
export class RowEncoder {
  readonly #columns: readonly Column[];
  readonly #positions: readonly number[];
  readonly #fileNumber: number;
  readonly #empty: string;

  /**
   * @param positions where the file has each of the columns
   * @param fileNumber stands for the file in the staging table
   */
  constructor(columns: readonly Column[], positions: readonly number[], fileNumber: number) {
    this.#columns = columns;
    this.#positions = positions;
    this.#fileNumber = fileNumber;
    this.#empty = `\t${NULL}`.repeat(columns.length);
  }

  encode(record: CsvRecord): string {
    const values = record.problem === undefined && record.fields.length === this.#columns.length && this.#read(record);
    if (values) return `${this.#fileNumber}\t${record.line}\t${NULL}${values}\n`;
    return `${this.#fileNumber}\t${record.line}\t${escapeForCopy(this.#problemOf(record))}${this.#empty}\n`;
  }

  /** The values, each after a tab; undefined when one does not hold. */
  #read({ fields }: CsvRecord): string | undefined {
    let values = '';
    for (let index = 0; index < this.#columns.length; index += 1) {
      const column = this.#columns[index] as Column;
      const field = fields[this.#positions[index] as number] as string;
      const value = field === '' ? (column.optional ? NULL : null) : column.read(field);
      if (value === null) return undefined;
      values += `\t${field === '' ? value : escapeForCopy(value)}`;
    }
    return values;
  }

  #problemOf({ fields, problem }: CsvRecord): string {
    if (problem !== undefined) return problem;
    if (fields.length !== this.#columns.length)
      return `the row must have ${this.#columns.length} fields, but has ${fields.length}`;
    const problems = this.#columns.map((column, index) =>
      problemOf(column, fields[this.#positions[index] ?? -1] ?? ''),
    );
    return problems.filter((each) => each !== undefined).join('; ');
  }
}

function problemOf(column: Column, field: string): string | undefined {
  if (field === '') return column.optional ? undefined : `${column.name} is required, but empty`;
  if (column.read(field) !== null) return undefined;
  const shown = field.length > SHOWN_CHARACTERS ? `${beginningOf(field, SHOWN_CHARACTERS)}…` : field;
  return `${column.name} must be ${column.expected}, but got: ${JSON.stringify(shown)}`;
}

function escapeForCopy(text: string): string {
  return SPECIAL.test(text) ? text.replaceAll(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? character) : text;
}
