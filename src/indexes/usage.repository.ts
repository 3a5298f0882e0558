import { Prisma } from '../generated/prisma/client.ts';
import { instantText } from '../tenancy/sql-text.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import { MODELS, TABLE_OF_MODEL } from './tables.ts';

/** An index, and what PostgreSQL has counted of it since its statistics were last reset. */
export interface IndexUsageRow {
  readonly model: string;
  readonly index: string;
  readonly definition: string;
  readonly sizeBytes: number;
  readonly scans: number;
  readonly tuplesRead: number;
  readonly verdict: IndexVerdict;
}

/** `constraint`: not scanned, but it keeps a primary key or a unique constraint. */
export type IndexVerdict = 'used' | 'unused' | 'constraint';

/** A table, and what PostgreSQL has counted of it since its statistics were last reset. */
export interface TableStatisticsRow {
  readonly model: string;
  /** As PostgreSQL estimates it. */
  readonly rows: number;
  readonly deadRows: number;
  readonly sizeBytes: number;
  readonly indexBytes: number;
  readonly sequentialScans: number;
  readonly indexScans: number;
  readonly lastVacuum: string | null;
  readonly lastAnalyze: string | null;
}

const { sql } = Prisma;

/** Reads PostgreSQL's own statistics of the product's tables. They cover all tenants and tell of none. */
export class IndexUsageRepository {
  constructor(private readonly database: TenantDatabase) {}

  /** By table and index name. */
  indexes(models: readonly Prisma.ModelName[] = MODELS): Promise<IndexUsageRow[]> {
    return this.#read(sql`SELECT ${modelOf(sql`s.relname`)} AS model, s.indexrelname AS index,
        pg_get_indexdef(s.indexrelid) AS definition, pg_relation_size(s.indexrelid)::float8 AS "sizeBytes",
        s.idx_scan::float8 AS scans, s.idx_tup_read::float8 AS "tuplesRead",
        CASE WHEN s.idx_scan > 0 THEN 'used' WHEN i.indisunique THEN 'constraint' ELSE 'unused' END AS verdict
      FROM pg_stat_user_indexes s JOIN pg_index i USING (indexrelid)
      WHERE s.schemaname = current_schema() AND s.relname = ANY(${tablesOf(models)})
      ORDER BY s.relname, s.indexrelname`);
  }

  /** By table name. */
  tables(models: readonly Prisma.ModelName[] = MODELS): Promise<TableStatisticsRow[]> {
    return this.#read(sql`SELECT ${modelOf(sql`relname`)} AS model,
        n_live_tup::float8 AS rows, n_dead_tup::float8 AS "deadRows",
        pg_table_size(relid)::float8 AS "sizeBytes", pg_indexes_size(relid)::float8 AS "indexBytes",
        seq_scan::float8 AS "sequentialScans", coalesce(idx_scan, 0)::float8 AS "indexScans",
        ${instantText(sql`greatest(last_vacuum, last_autovacuum)`)} AS "lastVacuum",
        ${instantText(sql`greatest(last_analyze, last_autoanalyze)`)} AS "lastAnalyze"
      FROM pg_stat_user_tables
      WHERE schemaname = current_schema() AND relname = ANY(${tablesOf(models)})
      ORDER BY relname`);
  }

  #read<Row extends object>({ text, values }: Prisma.Sql): Promise<Row[]> {
    return this.database.directory<Row>(text, values);
  }
}

function tablesOf(models: readonly Prisma.ModelName[]): string[] {
  return models.map((model) => TABLE_OF_MODEL[model]);
}

/** The model of a table's name. */
function modelOf(table: Prisma.Sql): Prisma.Sql {
  return sql`${JSON.stringify(MODEL_OF_TABLE)}::jsonb ->> ${table}::text`;
}

const MODEL_OF_TABLE = Object.fromEntries(MODELS.map((model) => [TABLE_OF_MODEL[model], model]));
