import { isReadOnly } from '../cli/write-guard.ts';
import { OperatorError } from '../errors.ts';
import type { Queryable } from './inspect.ts';
import type { ProductQuery } from './product-queries.ts';
import { shapeOf } from './shape.ts';
import { MODELS, tablesOf } from './tables.ts';

/** A statement and how often it was sent. */
export interface WorkloadStatement {
  /** Constants may have become parameters. */
  readonly sql: string;
  readonly callsPerDay: number;
  /** Mean time in PostgreSQL. */
  readonly meanMs: number;
}

/** The largest part of the load; what comes after is rare. */
const MAX_STATEMENTS = 200;
export const DAY_SECONDS = 86_400;
/** Counted over less, a day's calls would be a guess from minutes. */
export const MIN_OBSERVED_SECONDS = 3_600;

/**
 * What was sent to the product's tables since pg_stat_statements was last reset; null where the server does not load
 * it. Where the extension is not made in this database it is, for as long as it is read.
 * @throws OperatorError when it is not made and cannot be
 */
export async function readWorkload(client: Queryable): Promise<WorkloadStatement[] | null> {
  const { rows: settings } = await client.query<{ libraries: string }>(
    "SELECT coalesce(current_setting('shared_preload_libraries', true), '') AS libraries",
  );
  if (!settings[0]?.libraries.includes('pg_stat_statements')) return null;
  const { rowCount } = await client.query("SELECT FROM pg_extension WHERE extname = 'pg_stat_statements'");
  if (rowCount) return readStatements(client);
  if (await isReadOnly(client))
    throw new OperatorError(
      'The extension pg_stat_statements is not made in this database, and nothing can be made in a read-only session.',
      'Make it on the primary server: CREATE EXTENSION pg_stat_statements; or ask a running service: --from and --token.',
    );
  await client.query('BEGIN');
  try {
    await client.query('CREATE EXTENSION pg_stat_statements');
    return await readStatements(client);
  } finally {
    await client.query('ROLLBACK');
  }
}

async function readStatements(client: Queryable): Promise<WorkloadStatement[]> {
  const { rows } = await client.query<WorkloadStatement>(READ_STATEMENTS, [
    `\\m(${tablesOf(MODELS).join('|')})\\M`,
    MAX_STATEMENTS,
    MIN_OBSERVED_SECONDS,
    DAY_SECONDS,
  ]);
  return rows;
}

/** Which text an entry has is that of whoever sent the statement first: it may have been planned before it was sent. */
const READ_STATEMENTS = `
  SELECT sql, (sum(calls) * $4 / greatest(extract(epoch FROM now() - max(since)), $3))::float8 AS "callsPerDay",
    (sum(total_exec_time) / sum(calls))::float8 AS "meanMs"
  FROM (
    SELECT regexp_replace(query, '^\\s*(EXPLAIN\\s*(\\([^)]*\\)|ANALYZE|VERBOSE|\\s)*)?(PREPARE\\s+\\w+(\\s*\\([^)]*\\))?\\s+AS\\s+)?', '', 'i') AS sql,
      calls, total_exec_time, info.stats_reset AS since
    FROM pg_stat_statements CROSS JOIN pg_stat_statements_info info
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND calls > 0
  ) sent
  WHERE sql ~* '^\\s*(SELECT|WITH|UPDATE|DELETE|INSERT)\\M' AND sql ~ $1
    AND sql !~* '\\m(pg_class|pg_catalog|pg_stat_\\w+|information_schema)\\M'
  GROUP BY sql ORDER BY sum(total_exec_time) DESC LIMIT $2`;

/** The product's query that a statement of the workload is, with its constants and values; undefined for others'. */
export function findProductQuery(sql: string, queries: readonly ProductQuery[]): ProductQuery | undefined {
  const shape = shapeOf(sql);
  return queries.find(({ query }) => shapeOf(query.text) === shape);
}
