import { until } from '../support/until.ts';
import type { Bank } from '../transactions/bank-fixture.ts';

/** A line as the table has it, with the transaction that wrote it. */
export interface Line {
  readonly subject: string | null;
  readonly role: string | null;
  readonly action: string;
  readonly key: string | null;
  readonly requestId: string | null;
  readonly outcome: string;
  readonly codes: string[];
  readonly times: number;
  readonly transaction: string;
}

const LINES = `SELECT subject, role, action, key, request_id AS "requestId", outcome, codes, times, xmin::text AS transaction
  FROM audit_log WHERE ($1::text IS NULL OR action = $1) AND ($2::text IS NULL OR request_id = $2) ORDER BY at, id`;

/** All lines at this moment. */
export function linesOf(
  { sql }: Pick<Bank, 'sql'>,
  { action = null, requestId = null }: { action?: string | null; requestId?: string | null } = {},
): Promise<Line[]> {
  return sql(LINES, [action, requestId]);
}

/** The line of a request, which is written off its way: waited for. */
export async function lineOfRequest(bank: Pick<Bank, 'sql'>, requestId: string): Promise<Line> {
  let line: Line | undefined;
  await until(async () => {
    [line] = await linesOf(bank, { requestId });
    return line !== undefined;
  }, `the line of request ${requestId} is written`);
  return line as unknown as Line;
}
