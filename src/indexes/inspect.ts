import type pg from 'pg';

import type { IndexDefinition } from './definition.ts';

/** What runs a statement: a connection of a command's own, or one that the service lends. */
export type Queryable = Pick<pg.ClientBase, 'query'>;

/** An index as it is in the database. */
export interface DatabaseIndex {
  readonly definition: IndexDefinition;
  /** False for what a broken-off CREATE INDEX CONCURRENTLY left: written at every change, and never read. */
  readonly valid: boolean;
  /** B-tree or hash with plain columns and the default order of nulls: what `IndexDefinition` can say wholly. */
  readonly plain: boolean;
  /** As PostgreSQL writes it. */
  readonly statement: string;
}

interface IndexRow extends Omit<IndexDefinition, 'columns'> {
  readonly columns: readonly string[];
  readonly descending: readonly boolean[];
  readonly valid: boolean;
  readonly plain: boolean;
  readonly statement: string;
}

/** Bits of pg_index.indoption. */
const DESCENDING = 1;
const NULLS_FIRST = 2;

/** The indexes of these tables of the connection's schema, by table and name. */
export async function readIndexes(client: Queryable, tables: readonly string[]): Promise<DatabaseIndex[]> {
  const { rows } = await client.query<IndexRow>(READ_INDEXES, [tables, DESCENDING, NULLS_FIRST]);
  return rows.map(({ columns, descending, valid, plain, statement, ...rest }) => ({
    definition: { ...rest, columns: columns.map((name, at) => ({ name, descending: descending[at] ?? false })) },
    valid,
    plain,
    statement,
  }));
}

const READ_INDEXES = `
  SELECT i.relname AS name, t.relname AS table, x.indisunique AS unique, x.indisprimary AS primary, am.amname AS method, x.indisvalid AS valid,
    keys.columns, keys.descending, keys.include, pg_get_expr(x.indpred, x.indrelid) AS where,
    am.amname IN ('btree', 'hash') AND x.indexprs IS NULL AND keys.default_nulls AS plain,
    pg_get_indexdef(i.oid) AS statement
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    JOIN pg_am am ON am.oid = i.relam
    CROSS JOIN LATERAL (
      SELECT coalesce(array_agg(pg_get_indexdef(i.oid, n, true) ORDER BY n) FILTER (WHERE n <= x.indnkeyatts), '{}') AS columns,
        coalesce(array_agg(x.indoption[n - 1] & $2 <> 0 ORDER BY n) FILTER (WHERE n <= x.indnkeyatts), '{}') AS descending,
        coalesce(array_agg(pg_get_indexdef(i.oid, n, true) ORDER BY n) FILTER (WHERE n > x.indnkeyatts), '{}') AS include,
        coalesce(bool_and((x.indoption[n - 1] & $2 <> 0) = (x.indoption[n - 1] & $3 <> 0)) FILTER (WHERE n <= x.indnkeyatts), true)
          AS default_nulls
      FROM generate_series(1, x.indnatts) AS n
    ) keys
  WHERE t.relnamespace = current_schema()::regnamespace AND t.relname = ANY($1)
  ORDER BY t.relname, i.relname`;
