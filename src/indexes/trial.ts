import pg from 'pg';

import { isReadOnly } from '../cli/write-guard.ts';
import { createStatement, type IndexDefinition } from '../database/index-definition.ts';
import { type Queryable, schemaOfExtension, tablesHeldToPolicies } from '../database/read-indexes.ts';
import { SERVICE_ROLE } from '../database/service-rights.ts';
import { StateError } from '../errors.ts';

/**
 * Shows what plans would be with an index that is not there. The tables themselves are left alone.
 */
export interface IndexTrial {
  /** How it is done, for the report. */
  readonly method: string;
  /** Adds the index for the plans made by this connection. */
  add(index: IndexDefinition): Promise<void>;
  /** Takes all added ones away again. */
  clear(): Promise<void>;
  /** What the plans call an added index. */
  nameOf(planName: string): string;
  /** Takes away what it made for itself. */
  close(): Promise<void>;
}

/**
 * From this share of its pages on, a copy is marked visible as a whole, so that indexes alone may
 * answer; below it none of it is. Pages become visible by VACUUM and invisible by the next change
 * of a row.
 */
const MOSTLY_VISIBLE = 0.9;
/** Rows of a table that are copied at most. */
const MAX_COPIED_ROWS = 50_000;

/**
 * The best way that this server has.
 * @throws OperatorError without HypoPG in a read-only session, or for a login that row-level
 *   security holds
 */
export async function openTrial(client: Queryable, tables: readonly string[]): Promise<IndexTrial> {
  const hypopg = await schemaOfExtension(client, 'hypopg');
  if (hypopg) return hypotheticalIndexes(client, hypopg);
  if (await isReadOnly(client))
    throw new StateError(
      'Indexes are tried on temporary copies of the tables, which a read-only session cannot make.',
      'Make HypoPG on the primary server (CREATE EXTENSION hypopg), or run it there.',
    );
  const [held] = await tablesHeldToPolicies(client, tables);
  if (held)
    throw new StateError(
      `Indexes are tried on temporary copies of the tables, and row-level security hides the rows of ${held} from this login.`,
      'Make HypoPG in this database as a superuser (CREATE EXTENSION hypopg), or give the DATABASE_URL of a login that has BYPASSRLS.',
    );
  return copiedTables(client, tables);
}

/** Indexes that only the planner sees, on the real tables and their real statistics. */
function hypotheticalIndexes(client: Queryable, schema: string): IndexTrial {
  const names = new Map<string, string>();
  return {
    method: 'hypothetical indexes (HypoPG)',
    async add(index) {
      const sql = createStatement(index).replace(' CONCURRENTLY', '');
      const { rows } = await client.query<{ indexname: string }>(
        `SELECT indexname FROM ${schema}.hypopg_create_index($1)`,
        [sql],
      );
      names.set(rows[0]?.indexname ?? index.name, index.name);
    },
    async clear() {
      names.clear();
      await client.query(`SELECT ${schema}.hypopg_reset()`);
    },
    nameOf: (planName) => names.get(planName) ?? planName,
    close: async () => {},
  };
}

/**
 * Temporary copies, of a sample where a table is large, which stand before the real tables on this
 * connection: with the same indexes, policies and rights. Costs are those of the copy's size; that
 * they fall is what counts. A small tenant may not be in the sample any more.
 */
async function copiedTables(client: Queryable, tables: readonly string[]): Promise<IndexTrial> {
  const names = new Map<string, string>();
  const copies: string[] = [];
  const close = async () => {
    for (const table of copies.splice(0)) await client.query(`DROP TABLE pg_temp.${pg.escapeIdentifier(table)}`);
  };
  try {
    for (const table of tables) {
      await copyTable(client, table, () => copies.push(table));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    method: `temporary copies of at most ${MAX_COPIED_ROWS.toLocaleString('en-US')} rows`,
    async add(index) {
      // A name of its own: the copy may have another index of this name.
      const name = `tenantry_trial_${names.size}`;
      await client.query(createStatement({ ...index, name }).replace(' CONCURRENTLY', ''));
      names.set(name, index.name);
    },
    async clear() {
      for (const name of names.keys()) await client.query(`DROP INDEX pg_temp.${name}`);
      names.clear();
    },
    nameOf: (planName) => names.get(planName) ?? planName,
    close,
  };
}

/** @param onMade told when the copy is there, though not wholly set up */
async function copyTable(client: Queryable, table: string, onMade: () => void): Promise<void> {
  const name = pg.escapeIdentifier(table);
  const { rows } = await client.query<{ schema: string; percent: number; visible: number }>(
    `SELECT nspname AS schema, least(100, 100.0 * $2 / greatest(reltuples, 1))::float8 AS percent,
       (relallvisible / greatest(relpages, 1)::float8) AS visible
     FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid = to_regclass($1)`,
    [name, MAX_COPIED_ROWS],
  );
  const [{ schema, percent, visible } = { schema: 'public', percent: 100, visible: 0 }] = rows;
  const sample = percent < 100 ? `TABLESAMPLE SYSTEM (${percent}) REPEATABLE (1)` : '';
  await client.query(`CREATE TEMP TABLE ${name} AS SELECT * FROM ${pg.escapeIdentifier(schema)}.${name} ${sample}`);
  onMade();
  // With its schema named, a statement about an index finds the copy's own of the same name.
  const { rows: statements } = await client.query<{ statement: string }>(COPY_STATEMENTS, [table, schema]);
  for (const { statement } of statements) await client.query(statement);
  await grantToService(client, `pg_temp.${name}`);
  await client.query(`${visible >= MOSTLY_VISIBLE ? 'VACUUM (ANALYZE)' : 'ANALYZE'} pg_temp.${name}`);
}

const COPY_STATEMENTS = `
  SELECT format('CREATE %sINDEX %I ON pg_temp.%I USING ', unique_word, relname, $1::text) || substr(definition,
           length(format('CREATE %sINDEX %I ON %s%I.%I USING ', unique_word, relname, only_word, $2::text, $1::text)) + 1) AS statement
  FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid, pg_get_indexdef(indexrelid) AS definition,
    LATERAL (SELECT CASE WHEN indisunique THEN 'UNIQUE ' ELSE '' END AS unique_word,
                    CASE relkind WHEN 'I' THEN 'ONLY ' ELSE '' END AS only_word) AS words
  WHERE indrelid = format('%I.%I', $2::text, $1::text)::regclass AND indisvalid
  UNION ALL
  SELECT format('ALTER TABLE pg_temp.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', $1::text)
  FROM pg_class WHERE oid = format('%I.%I', $2::text, $1::text)::regclass AND relrowsecurity
  UNION ALL
  SELECT format('CREATE POLICY %I ON pg_temp.%I USING (%s)', policyname, $1::text, qual)
  FROM pg_policies WHERE schemaname = $2::text AND tablename = $1::text AND qual IS NOT NULL`;

async function grantToService(client: Queryable, table: string): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [SERVICE_ROLE]);
  if (rowCount) await client.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${SERVICE_ROLE}`);
}
