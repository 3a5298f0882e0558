import { type DatabaseIndex, type Queryable, readIndexes } from '../database/read-indexes.ts';
import { modelOfTable, tablesOf } from '../database/tables.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { type JudgedTable, tableVerdict } from './table-verdict.ts';

/** What PostgreSQL has counted of an index since its statistics were last reset. */
export interface IndexUsage extends DatabaseIndex {
  readonly model: Prisma.ModelName;
  readonly sizeBytes: number;
  readonly scans: number;
  /** Index entries that the scans returned. */
  readonly tuplesRead: number;
  /**
   * Of its pages that were read, the share found in PostgreSQL's own memory; null while none was
   * read.
   */
  readonly cacheHitRatio: number | null;
  /**
   * The size that its entries would need; null when the login may not see the tables' statistics.
   */
  readonly neededBytes: number | null;
}

/** A table, and what PostgreSQL has counted of it since its statistics were last reset. */
export interface TableUsage extends JudgedTable {
  readonly model: Prisma.ModelName;
  readonly sizeBytes: number;
  readonly indexBytes: number;
  readonly indexScans: number;
  /** Rows inserted, updated and deleted. */
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  /** In plain words, with what to do. */
  readonly verdict: string;
}

interface CountedRow {
  readonly index: string;
  readonly sizeBytes: number;
  readonly scans: number;
  readonly tuplesRead: number;
  readonly cacheHitRatio: number | null;
  readonly neededBytes: number | null;
}

/** The indexes of these models, by table and name. */
export async function readIndexUsage(client: Queryable, models: readonly Prisma.ModelName[]): Promise<IndexUsage[]> {
  const tables = tablesOf(models);
  const indexes = await readIndexes(client, tables);
  const { rows } = await client.query<CountedRow>(COUNTED, [tables]);
  const counted = new Map(rows.map((row) => [row.index, row]));
  return indexes.flatMap((index) => {
    const row = counted.get(index.definition.name);
    const model = modelOfTable(index.definition.table);
    if (!row || !model) return []; // made or dropped between the two statements
    const { sizeBytes, scans, tuplesRead, cacheHitRatio, neededBytes } = row;
    return { ...index, model, sizeBytes, scans, tuplesRead, cacheHitRatio, neededBytes };
  });
}

/** The tables of these models with their verdicts, by name. */
export async function readTableUsage(client: Queryable, models: readonly Prisma.ModelName[]): Promise<TableUsage[]> {
  const { rows } = await client.query<Omit<TableUsage, 'model' | 'verdict'>>(TABLES, [tablesOf(models)]);
  const nowMs = Date.now();
  return rows.flatMap((usage) => {
    const model = modelOfTable(usage.table);
    return model ? [{ ...usage, model, verdict: tableVerdict(usage, nowMs) }] : [];
  });
}

/** Since when PostgreSQL has been counting in this database, RFC 3339. */
export async function readCountingSince(client: Queryable): Promise<string> {
  const { rows } = await client.query<{ since: string }>(
    `SELECT ${instant('coalesce(stats_reset, pg_postmaster_start_time())')} AS since
     FROM pg_stat_database WHERE datname = current_database()`,
  );
  const [row] = rows;
  if (!row) throw new Error('pg_stat_database does not know the current database');
  return row.since;
}

function instant(value: string): string {
  return `to_char(${value} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/**
 * The needed size of a B-tree, an estimate from below, since equal keys are kept once: on a page of
 * 8,192 bytes, of which 40 are its own and fillfactor percent are filled at first, an entry takes 4
 * bytes for its place, 8 for its head and its columns rounded up to 8 ("Database Page Layout" and
 * "B-Tree Structure" of PostgreSQL's documentation; average widths from pg_stats).
 */
const COUNTED = `
  SELECT s.indexrelname AS index, pg_relation_size(s.indexrelid)::float8 AS "sizeBytes", s.idx_scan::float8 AS scans,
    s.idx_tup_read::float8 AS "tuplesRead",
    (io.idx_blks_hit / nullif(io.idx_blks_hit + io.idx_blks_read, 0)::float8) AS "cacheHitRatio",
    CASE WHEN am.amname = 'btree' AND i.reltuples >= 0 AND width.columns = x.indnatts THEN
      8192.0 * (1 + ceil(i.reltuples * (4 + 8 + ceil(width.bytes / 8.0) * 8) / ((8192 - 40) * coalesce(
        (SELECT option_value::integer FROM pg_options_to_table(i.reloptions) WHERE option_name = 'fillfactor'), 90) / 100.0)))
    END::float8 AS "neededBytes"
  FROM pg_stat_user_indexes s JOIN pg_statio_user_indexes io USING (indexrelid)
    JOIN pg_index x USING (indexrelid) JOIN pg_class i ON i.oid = s.indexrelid JOIN pg_am am ON am.oid = i.relam
    CROSS JOIN LATERAL (
      SELECT count(*) AS columns, sum(stats.avg_width) AS bytes
      FROM unnest(x.indkey) AS key (attnum) JOIN pg_attribute a ON a.attrelid = s.relid AND a.attnum = key.attnum
        JOIN pg_stats stats ON stats.schemaname = s.schemaname AND stats.tablename = s.relname AND stats.attname = a.attname
    ) width
  WHERE s.schemaname = current_schema() AND s.relname = ANY($1)`;

const TABLES = `
  SELECT s.relname AS table, n_live_tup::float8 AS rows, n_dead_tup::float8 AS "deadRows",
    ${autovacuum('threshold')} + ${autovacuum('scale_factor')} * greatest(c.reltuples, 0) AS "vacuumAtDeadRows",
    pg_table_size(relid)::float8 AS "sizeBytes", pg_indexes_size(relid)::float8 AS "indexBytes",
    seq_scan::float8 AS "sequentialScans", coalesce(idx_scan, 0)::float8 AS "indexScans",
    seq_tup_read::float8 AS "sequentialRows", coalesce(idx_tup_fetch, 0)::float8 AS "indexRows",
    n_tup_ins::float8 AS inserts, n_tup_upd::float8 AS updates, n_tup_del::float8 AS deletes,
    ${instant('greatest(last_vacuum, last_autovacuum)')} AS "lastVacuum",
    ${instant('greatest(last_analyze, last_autoanalyze)')} AS "lastAnalyze"
  FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
  WHERE s.schemaname = current_schema() AND s.relname = ANY($1)
  ORDER BY s.relname`;

/** A setting of autovacuum's for VACUUM: the table's own, else the server's. */
function autovacuum(setting: 'threshold' | 'scale_factor'): string {
  const name = `'autovacuum_vacuum_${setting}'`;
  return `coalesce((SELECT option_value FROM pg_options_to_table(c.reloptions) WHERE option_name = ${name}),
      current_setting(${name}))::float8`;
}
