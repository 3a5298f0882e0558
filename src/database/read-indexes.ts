import type pg from 'pg';

import type { IndexDefinition } from './index-definition.ts';

/** What runs a statement: a connection of a command's own, or one that the service lends. */
export type Queryable = Pick<pg.ClientBase, 'query'>;

/** An index as it is in the database. */
export interface DatabaseIndex {
  readonly definition: IndexDefinition;
  /**
   * False for what a broken-off CREATE INDEX CONCURRENTLY left: written at every change, and never
   * read.
   */
  readonly valid: boolean;
  /**
   * What would break if it were dropped, for example `the constraint tenants_slug_key`; null for a
   * mere index.
   */
  readonly neededBy: string | null;
  /** As PostgreSQL writes it. */
  readonly statement: string;
}

interface IndexRow extends IndexDefinition, Omit<DatabaseIndex, 'definition'> {}

/** Storage parameters that change how fast an index is, and nothing of what it finds. */
const TUNING = [
  'autosummarize',
  'buffering',
  'deduplicate_items',
  'fastupdate',
  'fillfactor',
  'gin_pending_list_limit',
];

/** The indexes of these tables of the connection's schema, by table and name. */
export async function readIndexes(client: Queryable, tables: readonly string[]): Promise<DatabaseIndex[]> {
  const { rows } = await client.query<IndexRow>(READ_INDEXES, [tables, TUNING]);
  return rows.map(({ valid, neededBy, statement, ...definition }) => ({ definition, valid, neededBy, statement }));
}

/**
 * The schema that an extension of this database is in, as SQL names it; null where it is not made.
 */
export async function schemaOfExtension(client: Queryable, name: string): Promise<string | null> {
  const { rows } = await client.query<{ schema: string }>(
    'SELECT extnamespace::regnamespace::text AS schema FROM pg_extension WHERE extname = $1',
    [name],
  );
  return rows[0]?.schema ?? null;
}

/**
 * As PostgreSQL chooses it: a type's own class, else that of all its kind or of the type that it is
 * stored as.
 */
const IS_DEFAULT_CLASS = `opc.opcdefault AND (opc.opcintype = type.oid OR (
  NOT EXISTS (SELECT FROM pg_opclass own WHERE own.opcmethod = am.oid AND own.opcdefault AND own.opcintype = type.oid)
  AND EXISTS (SELECT FROM pg_type accepted WHERE accepted.oid = opc.opcintype AND (accepted.typispreferred OR accepted.typtype = 'p'))))`;

/** With its schema where the name alone would not find it. */
function nameOf(catalog: 'opclass' | 'collation', alias: string, prefix: string): string {
  const name = `quote_ident(${alias}.${prefix}name)`;
  return `CASE WHEN pg_${catalog}_is_visible(${alias}.oid) THEN ${name} ELSE ${alias}.${prefix}namespace::regnamespace::text || '.' || ${name} END`;
}

/**
 * The column of NULLS NOT DISTINCT is there from PostgreSQL 15 on. Of indoption, 1 is DESC and 2 is
 * NULLS FIRST.
 */
const READ_INDEXES = `
  SELECT i.relname AS name, t.relname AS table, x.indisunique AS unique, x.indisprimary AS primary, am.amname AS method,
    coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::boolean, false) AS "nullsNotDistinct", NOT x.indimmediate AS deferrable,
    keys.columns, keys.include, pg_get_expr(x.indpred, x.indrelid) AS where,
    (SELECT string_agg(option_name || '=' || option_value, ', ' ORDER BY option_name)
      FROM pg_options_to_table(i.reloptions) WHERE option_name <> ALL($2)) AS storage,
    x.indisvalid AS valid, coalesce(
      'the constraint ' || (SELECT min(conname) FROM pg_constraint WHERE conindid = i.oid),
      CASE WHEN x.indisreplident THEN 'the replica identity of its table' END,
      CASE WHEN x.indisclustered THEN 'CLUSTER, which orders its table by it' END,
      'the partitioned index ' || (SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = i.oid)) AS "neededBy",
    pg_get_indexdef(i.oid) AS statement
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    JOIN pg_am am ON am.oid = i.relam
    CROSS JOIN LATERAL (
      SELECT coalesce(json_agg(json_build_object('name', pg_get_indexdef(i.oid, n, true),
            'descending', x.indoption[n - 1] & 1 <> 0, 'nullsFirst', x.indoption[n - 1] & 2 <> 0,
            'collation', CASE WHEN coll.oid <> coalesce(col.attcollation, type.typcollation) THEN ${nameOf('collation', 'coll', 'coll')} END,
            'operatorClass', CASE WHEN key.attoptions IS NOT NULL OR NOT (${IS_DEFAULT_CLASS})
              THEN ${nameOf('opclass', 'opc', 'opc')} || coalesce(' (' || array_to_string(key.attoptions, ', ') || ')', '') END
          ) ORDER BY n) FILTER (WHERE n <= x.indnkeyatts), '[]') AS columns,
        coalesce(array_agg(pg_get_indexdef(i.oid, n, true) ORDER BY n) FILTER (WHERE n > x.indnkeyatts), '{}') AS include
      FROM generate_series(1, x.indnatts) AS n
        JOIN pg_attribute key ON key.attrelid = i.oid AND key.attnum = n
        LEFT JOIN pg_attribute col ON col.attrelid = t.oid AND col.attnum = x.indkey[n - 1] AND col.attnum <> 0
        LEFT JOIN pg_type given ON given.oid = coalesce(col.atttypid, key.atttypid)
        LEFT JOIN pg_type type ON type.oid = CASE WHEN given.typtype = 'd' THEN given.typbasetype ELSE given.oid END
        LEFT JOIN pg_opclass opc ON n <= x.indnkeyatts AND opc.oid = x.indclass[n - 1]
        LEFT JOIN pg_collation coll ON n <= x.indnkeyatts AND coll.oid = x.indcollation[n - 1]
    ) keys
  WHERE t.relnamespace = current_schema()::regnamespace AND t.relname = ANY($1)
  ORDER BY t.relname, i.relname`;

/**
 * The tables on which row-level security holds the login: it sees none of their rows without a
 * tenant.
 */
export async function tablesHeldToPolicies(client: Queryable, tables: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT name FROM unnest($1::text[]) AS name WHERE row_security_active(quote_ident(name))',
    [tables],
  );
  return rows.map(({ name }) => name);
}
