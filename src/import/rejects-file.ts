import { open } from 'node:fs/promises';
import type pg from 'pg';

import { OperatorError, StateError } from '../errors.ts';
import type { CsvRecord } from './csv-records.ts';
import { IMPORT_TABLES, type ImportFile } from './import-files.ts';
import { readRecords } from './read-records.ts';
import type { ImportSession } from './session.ts';
import { stagingTable } from './staging.ts';

const HEADER = 'file,line,reason,row\n';
/** Rejects that are held at once. */
const FETCH_ROWS = 2_000;

interface Reject {
  readonly line: number;
  readonly problem: string;
}

type Write = (text: string) => Promise<unknown>;

/**
 * Writes the rejected rows with their reasons, as they stand in their files, which are read again
 * for it.
 * @throws OperatorError when it cannot be written, or a file changed meanwhile
 */
export async function writeRejects(session: ImportSession, path: string): Promise<void> {
  const output = await open(path, 'w').catch((cause: Error) => {
    throw new OperatorError(
      `The rejects file ${path} cannot be written: ${cause.message}. Nothing was imported.`,
      'Name another with --rejects <file>.',
      { cause },
    );
  });
  try {
    const write: Write = (text) => output.appendFile(text);
    await write(HEADER);
    for (const [index, file] of session.files.entries()) await writeRejectsOf(session, file, index + 1, write);
  } finally {
    await output.close();
  }
}

async function writeRejectsOf(session: ImportSession, file: ImportFile, number: number, write: Write): Promise<void> {
  const rejects = rejectsOf(session.client, file, number);
  let next = await rejects.next();
  if (next.done) return;
  for await (const records of readRecords(file)) {
    let text = '';
    for (const record of records) {
      if (next.done || record.line !== next.value.line) continue;
      text += rejectLine(file, next.value, record);
      next = await rejects.next();
    }
    await write(text);
    if (next.done) return;
  }
  throw new StateError(
    `${file.path} changed while it was imported. Nothing was imported.`,
    'Run the import again when the file is complete.',
  );
}

/** In the order of their lines. */
async function* rejectsOf(client: pg.ClientBase, { table }: ImportFile, number: number): AsyncGenerator<Reject> {
  await client.query(
    `DECLARE import_rejects NO SCROLL CURSOR FOR
     SELECT line, problem FROM ${stagingTable(table)} WHERE file = ${number} AND problem IS NOT NULL ORDER BY line`,
  );
  for (;;) {
    const { rows } = await client.query<Reject>(`FETCH ${FETCH_ROWS} FROM import_rejects`);
    yield* rows;
    if (rows.length < FETCH_ROWS) break;
  }
  await client.query('CLOSE import_rejects');
}

function rejectLine(file: ImportFile, { line, problem }: Reject, { raw }: CsvRecord): string {
  return `${quoted(file.name)},${line},${quoted(problem)},${quoted(raw)}\n`;
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** How many rows of each table are rejected. */
export async function countRejects({ client }: ImportSession): Promise<number[]> {
  const counts = IMPORT_TABLES.map(
    (table) => `(SELECT count(*)::int FROM ${stagingTable(table)} WHERE problem IS NOT NULL)`,
  );
  const { rows } = await client.query<{ counts: number[] }>(`SELECT ARRAY[${counts.join(', ')}] AS counts`);
  return rows[0]?.counts ?? [];
}
