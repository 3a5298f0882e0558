import type { Line } from './csv-lines.ts';

/**
 * Far above any valid row (see the lengths in columns.ts): a quote that is open for longer is one
 * too many.
 */
const MAX_RECORD_CHARACTERS = 64 * 1024;
const QUOTE = '"';
const UNBALANCED = 'a quote is open or out of place: a field with quotes is quoted as a whole, quotes in it doubled';

/** One row of a CSV file. */
export interface CsvRecord {
  /** Number of the physical line it begins on, from 1. */
  readonly line: number;
  /** As it stands in the file, without the line end. */
  readonly raw: string;
  readonly fields: readonly string[];
  /** Why it has no fields. */
  readonly problem?: string;
}

/**
 * Makes records of lines (RFC 4180). A line whose quotes do not work out is a bad record by itself
 * and reading goes on with the next line, so that a stray quote never swallows the rows after it.
 * (The usual CSV libraries read on until the next quote, or the end of the file; see
 * docs/import.md.)
 */
export class RecordReader {
  #waiting: Line[] = [];
  #lineNumber = 1;

  /** @returns the records that are complete by now; empty lines are none */
  push(lines: readonly Line[]): CsvRecord[] {
    return this.#read(this.#waiting.length > 0 ? [...this.#waiting, ...lines] : lines, false);
  }

  /** The records that only the end of the file completes. */
  end(lines: readonly Line[]): CsvRecord[] {
    return this.#read([...this.#waiting, ...lines], true);
  }

  #read(lines: readonly Line[], atEnd: boolean): CsvRecord[] {
    const records: CsvRecord[] = [];
    let index = 0;
    while (index < lines.length) {
      const span = spanOf(lines, index);
      if (index + span > lines.length && !atEnd) break;
      const record = recordOf(lines.slice(index, index + span), this.#lineNumber);
      const used = record.problem === UNBALANCED ? 1 : span;
      if (record.raw !== '') records.push(record);
      this.#lineNumber += used;
      index += used;
    }
    this.#waiting = lines.slice(index);
    return records;
  }
}

/**
 * How many lines the record beginning at `start` has: until its quotes are even. One more than
 * there are: not known.
 */
function spanOf(lines: readonly Line[], start: number): number {
  let characters = 0;
  let open = false;
  for (let index = start; index < lines.length; index += 1) {
    const { text } = lines[index] as Line;
    if (hasOddQuotes(text)) open = !open;
    characters += text.length;
    if (!open || characters > MAX_RECORD_CHARACTERS) return index - start + 1;
  }
  return lines.length - start + 1;
}

function hasOddQuotes(text: string): boolean {
  let odd = false;
  for (let at = text.indexOf(QUOTE); at !== -1; at = text.indexOf(QUOTE, at + 1)) odd = !odd;
  return odd;
}

function recordOf([first, ...more]: readonly Line[], line: number): CsvRecord {
  const { text = '', problem } = first ?? {};
  const raw = withoutReturn(more.length === 0 ? text : [text, ...more.map((part) => part.text)].join('\n'));
  const fields = raw.includes(QUOTE) ? splitQuoted(raw) : raw.split(',');
  if (!fields) return { line, raw: withoutReturn(text), fields: [], problem: UNBALANCED };
  const bad = problem ?? more.find((part) => part.problem)?.problem;
  return bad ? { line, raw, fields: [], problem: bad } : { line, raw, fields };
}

/** Lines may end with a carriage return before the line feed. */
function withoutReturn(text: string): string {
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}

/** The fields of a record that has quotes; undefined when they stand where they must not. */
function splitQuoted(raw: string): string[] | undefined {
  const fields: string[] = [];
  for (let at = 0; at <= raw.length; at += 1) {
    const end = raw[at] === QUOTE ? endOfQuoted(raw, at) : endOfPlain(raw, at);
    if (end === undefined) return undefined;
    fields.push(raw[at] === QUOTE ? raw.slice(at + 1, end - 1).replaceAll('""', QUOTE) : raw.slice(at, end));
    at = end;
  }
  return fields;
}

/** Where the comma or the end after the quoted field is that begins at `start`. */
function endOfQuoted(raw: string, start: number): number | undefined {
  for (let at = raw.indexOf(QUOTE, start + 1); at !== -1; at = raw.indexOf(QUOTE, at + 2)) {
    if (raw[at + 1] === QUOTE) continue;
    return at + 1 === raw.length || raw[at + 1] === ',' ? at + 1 : undefined;
  }
  return undefined;
}

function endOfPlain(raw: string, start: number): number | undefined {
  const comma = raw.indexOf(',', start);
  const end = comma === -1 ? raw.length : comma;
  const quote = raw.indexOf(QUOTE, start);
  return quote === -1 || quote >= end ? end : undefined;
}
