import { isOfTheValues } from './sql-state.ts';

/**
 * Writes rows in one statement. When the values of some are the reason for a failure, the others
 * are written without them, by halves: a row that PostgreSQL refuses would keep them back for ever.
 * @param write one statement; may be called for some rows only
 * @param giveUp told each row that is refused, and why
 * @returns how many were refused
 * @throws any other failure, when some rows may be written already
 */
export async function writeAccepted<Row>(
  rows: readonly Row[],
  write: (rows: readonly Row[]) => Promise<void>,
  giveUp: (row: Row, reason: Error) => void,
): Promise<number> {
  try {
    await write(rows);
    return 0;
  } catch (error) {
    if (!isOfTheValues(error)) throw error;
    if (rows.length > 1) {
      const half = rows.length >> 1;
      const refused = await writeAccepted(rows.slice(0, half), write, giveUp);
      return refused + (await writeAccepted(rows.slice(half), write, giveUp));
    }
    for (const row of rows) giveUp(row, error as Error);
    return rows.length;
  }
}
