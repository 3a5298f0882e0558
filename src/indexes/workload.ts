import pg from 'pg';

import { formatCount } from '../cli/format.ts';
import { isReadOnly } from '../cli/write-guard.ts';
import { counted } from '../counted.ts';
import { type Queryable, schemaOfExtension } from '../database/read-indexes.ts';
import { MODELS, tablesOf } from '../database/tables.ts';
import { StateError } from '../errors.ts';
import type { ProductQuery } from './product-queries.ts';
import { shapeOf } from './shape.ts';

/** A statement and how often it was sent. */
export interface WorkloadStatement {
  /** Constants may have become parameters. */
  readonly sql: string;
  readonly callsPerDay: number;
  /** Mean time in PostgreSQL. */
  readonly meanMs: number;
}

/** What a workload is read from, as far as it can be. */
export interface SentStatements {
  readonly statements: readonly WorkloadStatement[];
  /** What is there and not among them, as sentences. */
  readonly gaps: readonly string[];
}

/** The largest part of the load; what comes after is rare. */
const MAX_STATEMENTS = 200;
export const EXTENSION = 'pg_stat_statements';
/** SQLSTATE of its views on a server that does not load it. */
export const NOT_LOADED = '55000';
/** SQLSTATE of a right that is lacking. */
const NOT_ALLOWED = '42501';
export const DAY_SECONDS = 86_400;
/** Counted over less, a day's calls would be a guess from minutes. */
export const MIN_OBSERVED_SECONDS = 3_600;

/**
 * What was sent to the product's tables since pg_stat_statements was last reset; null where the
 * server does not load it. Where the extension is not made in this database it is, for as long as
 * it is read.
 * @throws OperatorError when it is not made and cannot be
 */
export async function readWorkload(client: Queryable): Promise<SentStatements | null> {
  if (await schemaOfExtension(client, EXTENSION)) return readIfLoaded(client);
  // No row for a login that may not see the setting.
  const { rows } = await client.query<{ libraries: string }>(
    "SELECT setting AS libraries FROM pg_settings WHERE name = 'shared_preload_libraries'",
  );
  if (rows[0] && !rows[0].libraries.includes(EXTENSION)) return null;
  if (await isReadOnly(client))
    throw new StateError(
      'The extension pg_stat_statements is not made in this database, and nothing can be made in a read-only session.',
      'Make it on the primary server: CREATE EXTENSION pg_stat_statements; or ask a running service: --from and --token.',
    );
  await client.query('BEGIN');
  try {
    await client.query('CREATE EXTENSION pg_stat_statements');
    return await readIfLoaded(client);
  } catch (cause) {
    if (!(cause instanceof pg.DatabaseError && cause.code === NOT_ALLOWED)) throw cause;
    throw new StateError(
      'The extension pg_stat_statements is not made in this database, and this login may not make it.',
      'As an administrator: CREATE EXTENSION pg_stat_statements; or ask a running service: --from and --token.',
      { cause },
    );
  } finally {
    await client.query('ROLLBACK');
  }
}

/** Null where the extension is made and the server does not load it. */
async function readIfLoaded(client: Queryable): Promise<SentStatements | null> {
  try {
    return await readStatements(client);
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === NOT_LOADED) return null;
    throw error;
  }
}

async function readStatements(client: Queryable): Promise<SentStatements> {
  const schema = await schemaOfExtension(client, EXTENSION);
  const { rows } = await client.query<WorkloadStatement & { all: number }>(readSent(`${schema}.`), [
    `\\m(${tablesOf(MODELS).join('|')})\\M`,
    MAX_STATEMENTS,
    MIN_OBSERVED_SECONDS,
    DAY_SECONDS,
  ]);
  const { rows: counted } = await client.query<{ hidden: number }>(countHidden(`${schema}.`));
  const hidden = counted[0]?.hidden ?? 0;
  const all = rows[0]?.all ?? 0;
  const statements = rows.map(({ sql, callsPerDay, meanMs }) => ({ sql, callsPerDay, meanMs }));
  return { statements, gaps: [...(hidden ? [hiddenGap(hidden)] : []), ...(all > rows.length ? [restGap(all)] : [])] };
}

function hiddenGap(count: number): string {
  return `This login does not see ${counted(count, 'more statement')} of this database: GRANT pg_read_all_stats TO it shows them.`;
}

function restGap(all: number): string {
  return `They are those that took the most time of ${formatCount(all)}.`;
}

/** PostgreSQL shows this in place of the text of another role's statement. */
const HIDDEN_TEXT = '<insufficient privilege>';

const ENTRIES_OF_DATABASE = 'dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND calls > 0';
const LEADING_COMMENTS = String.raw`^(?:\s|/\*(?:[^*]|\*(?!/))*\*/|--[^\n]*\n)*`;
const PLANNED_OR_PREPARED = String.raw`(?:EXPLAIN\s*(?:\([^)]*\)|ANALYZE|VERBOSE|\s)*)?(?:PREPARE\s+\w+(?:\s*\([^)]*\))?\s+AS\s+)?`;

function countHidden(schema: string): string {
  return `
    SELECT count(*)::integer AS hidden FROM ${schema}pg_stat_statements
    WHERE ${ENTRIES_OF_DATABASE} AND coalesce(query, '${HIDDEN_TEXT}') = '${HIDDEN_TEXT}'`;
}

/**
 * Which text an entry has is that of whoever sent the statement first: it may have been planned
 * before it was sent.
 */
function readSent(schema: string): string {
  return String.raw`
    SELECT sql, (sum(calls) * $4 / greatest(extract(epoch FROM now() - max(since)), $3))::float8 AS "callsPerDay",
      (sum(total_exec_time) / sum(calls))::float8 AS "meanMs", (count(*) OVER ())::integer AS all
    FROM (
      SELECT regexp_replace(query, '${LEADING_COMMENTS}${PLANNED_OR_PREPARED}', '', 'i') AS sql,
        calls, total_exec_time, info.stats_reset AS since
      FROM ${schema}pg_stat_statements CROSS JOIN ${schema}pg_stat_statements_info info
      WHERE ${ENTRIES_OF_DATABASE}
    ) sent
    WHERE sql ~* '^[\s(]*(SELECT|WITH|VALUES|UPDATE|DELETE|INSERT|MERGE)\M' AND sql ~ $1
      AND sql !~* '\m(pg_class|pg_catalog|pg_stat_\w+|information_schema)\M'
    GROUP BY sql ORDER BY sum(total_exec_time) DESC LIMIT $2`;
}

/**
 * The product's query that a statement of the workload is, with its constants and values; undefined
 * for others'.
 */
export function findProductQuery(sql: string, queries: readonly ProductQuery[]): ProductQuery | undefined {
  const shape = shapeOf(sql);
  return queries.find(({ query }) => shapeOf(query.text) === shape);
}
