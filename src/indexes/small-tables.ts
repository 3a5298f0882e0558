import type { Queryable } from '../database/read-indexes.ts';
import { MODELS, tablesOf } from '../database/tables.ts';

/** Up to this size a table is read as fast as any index of it: 8 pages. */
const SMALL_TABLE_BYTES = 64 * 1024;

/** The product's tables that need no index. */
export async function smallTables(client: Queryable): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT name FROM unnest($1::text[]) AS name WHERE pg_relation_size(to_regclass(quote_ident(name))) <= $2',
    [tablesOf(MODELS), SMALL_TABLE_BYTES],
  );
  return new Set(rows.map(({ name }) => name));
}
