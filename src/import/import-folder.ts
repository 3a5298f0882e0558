import path from 'node:path';
import type pg from 'pg';

import type { OperatorAction } from '../audit/operator-line.ts';
import { formatRate } from '../cli/format.ts';
import { counted } from '../counted.ts';
import { UnavailableError } from '../errors.ts';
import { applyImport, type ImportResult } from './apply-import.ts';
import { importColumns } from './columns.ts';
import { checkHeader } from './header.ts';
import { findImportFiles, type ImportFile } from './import-files.ts';
import { createStaging, type OnRowsRead, stageFiles } from './staging.ts';

const TIME_ZONES = 'SELECT name FROM pg_timezone_names';

export interface ImportOptions {
  /**
   * A connection of its own, which the import leaves with its settings and staging tables: to be
   * closed after it.
   */
  readonly client: pg.ClientBase;
  readonly folder: string;
  /**
   * Where the rejected rows go. Written when there are some, and always if `alwaysWriteRejects`.
   */
  readonly rejectsPath: string;
  readonly alwaysWriteRejects?: boolean;
  /** Do everything and take it back at the end. */
  readonly dryRun?: boolean;
  /** Told often how far it is; the line is only asked for when it is going to be shown. */
  readonly update?: (line: () => string) => void;
}

/**
 * Imports a folder. All files are read to their end before anything is written, and everything is
 * written in one transaction: an error leaves the database as it was. Bad rows are left out and
 * listed in the rejects file. Of each tenant that is changed the audit log has a line.
 * @throws OperatorError when a file is missing, broken or not of the format, or another import is
 *   running
 */
export async function importFolder(options: ImportOptions): Promise<ImportResult> {
  const { client, folder, update = () => {} } = options;
  const files = findImportFiles(folder);
  await refuseSecondImport(client);
  const { rows } = await client.query<{ name: string }>(TIME_ZONES);
  const columns = importColumns(new Set(rows.map(({ name }) => name)));
  for (const file of files) await checkHeader(file, columns[file.table]);
  await createStaging(client, columns);
  await stageFiles(client, files, columns, readingProgress(update));
  return applyImport({ client, files, update }, columns, options, importAction(folder));
}

/** What the audit log has of an import as a whole. */
export function importAction(folder: string): OperatorAction {
  return { action: 'import', tenantId: null, key: path.basename(path.resolve(folder)) };
}

/** Two at once would meet in the same rows, and the later would fail after all its work. */
async function refuseSecondImport(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ locked: boolean }>(
    "SELECT pg_try_advisory_lock(hashtextextended('tenantry import', 0)) AS locked",
  );
  if (rows[0]?.locked) return;
  throw new UnavailableError('Another import into this database is running.', 'Run this one when that has ended.');
}

function readingProgress(update: (line: () => string) => void): OnRowsRead {
  const startedAt = performance.now();
  const rowsOf = new Map<ImportFile, number>();
  return (file, rows, bytes) => {
    rowsOf.set(file, rows);
    update(() => {
      const total = [...rowsOf.values()].reduce((sum, count) => sum + count, 0);
      const percent = Math.floor((100 * bytes) / Math.max(1, file.bytes));
      const rate = formatRate(total, performance.now() - startedAt, 'rows');
      return `reading ${file.name} ${percent} %: ${counted(total, 'row')}, ${rate}`;
    });
  };
}
