import type { Columns } from './columns.ts';
import type { ImportTable } from './import-files.ts';
import { execute, type ImportSession } from './session.ts';
import { stagingTable } from './staging.ts';

const IDENTITY: Readonly<Record<ImportTable, readonly string[]>> = {
  tenants: ['slug'],
  accounts: ['tenant_slug', 'bank_name', 'account_number'],
  transactions: ['tenant_slug', 'external_id'],
};

/**
 * Leaves one staged row of each identity: the first that has no problem. A later one that says the
 * same is dropped, one that says something else becomes a reject.
 */
export async function settleDuplicates(session: ImportSession, table: ImportTable, columns: Columns): Promise<void> {
  const staging = stagingTable(table);
  const repeats = `pg_temp.import_repeated_${table}`;
  // Nearly always nothing is repeated, and then this is all.
  if ((await execute(session, findRepeats(table, columns))) === 0) return;
  await execute(
    session,
    `UPDATE ${staging} later
        SET problem = format('${IDENTITY[table].join(', ')}: line %s of %s has the same, with other values',
                             first_line, ($1::text[])[first_file])
       FROM ${repeats} AS repeats WHERE (later.file, later.line) = (repeats.file, repeats.line) AND NOT same`,
    [session.files.map(({ name }) => name)],
  );
  await execute(
    session,
    `DELETE FROM ${staging} later USING ${repeats} AS repeats
      WHERE (later.file, later.line) = (repeats.file, repeats.line) AND same`,
  );
}

function findRepeats(table: ImportTable, columns: Columns): string {
  const staging = stagingTable(table);
  const identity = IDENTITY[table].join(', ');
  const others = columns[table].map(({ name }) => name).filter((name) => !IDENTITY[table].includes(name));
  return `
    CREATE TEMP TABLE import_repeated_${table} AS
    WITH repeated AS (
      SELECT ${identity} FROM ${staging} WHERE problem IS NULL GROUP BY ${identity} HAVING count(*) > 1
    ), firsts AS (
      SELECT DISTINCT ON (${identity}) * FROM ${staging} JOIN repeated USING (${identity})
       WHERE problem IS NULL ORDER BY ${identity}, file, line
    )
    SELECT later.file, later.line, firsts.file AS first_file, firsts.line AS first_line,
           ${row('later', others)} IS NOT DISTINCT FROM ${row('firsts', others)} AS same
      FROM ${staging} later JOIN firsts USING (${identity})
     WHERE later.problem IS NULL AND (later.file, later.line) <> (firsts.file, firsts.line)`;
}

function row(alias: string, columns: readonly string[]): string {
  return `ROW(${columns.map((column) => `${alias}.${column}`).join(', ')})`;
}
