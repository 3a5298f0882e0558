import type pg from 'pg';
import { fixtureId } from '../support/fixtures.ts';

interface Column {
  readonly name: string;
  readonly type: string;
  /** The first value of an enum. */
  readonly label: string | null;
  /** The table that a foreign key beside the tenant refers to. */
  readonly parent: string | null;
}

const NEEDED = `
  SELECT attname AS name, format_type(atttypid, NULL) AS type,
    (SELECT enumlabel FROM pg_enum WHERE enumtypid = atttypid ORDER BY enumsortorder LIMIT 1) AS label,
    (SELECT confrelid::regclass::text FROM pg_constraint
      WHERE contype = 'f' AND conrelid = attrelid AND attnum = ANY (conkey) AND cardinality(conkey) = 2) AS parent
  FROM pg_attribute
  WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attnotnull AND NOT atthasdef AND attname <> 'tenant_id'`;

const VALUES: Readonly<Record<string, string>> = {
  integer: '1',
  numeric: '1',
  boolean: 'true',
  date: '2026-01-31',
  'timestamp with time zone': '2026-01-31T12:00:00Z',
};

/** Another for each row, but for what is one of few. */
function textOf(column: string, id = ''): string {
  return column === 'currency' ? 'EUR' : id;
}

/** Writes a row past the API, with a parent of its own. */
export async function insertModelRow(
  client: pg.Client,
  table: string,
  tenantId: string,
  given: Readonly<Record<string, string | null>> & { readonly id?: string },
): Promise<void> {
  const row: Record<string, string | null> = { tenant_id: tenantId, ...given };
  const { rows } = await client.query<Column>(NEEDED, [`"${table}"`]);
  for (const { name, type, label, parent } of rows) {
    if (row[name] !== undefined) continue;
    row[name] = label ?? VALUES[type] ?? (parent ? fixtureId(parent, 'of', given.id ?? '') : textOf(name, given.id));
    if (parent) await insertModelRow(client, parent, tenantId, { id: String(row[name]) });
  }
  const names = Object.keys(row);
  await client.query(
    `INSERT INTO "${table}" (${names.map((name) => `"${name}"`).join(', ')})
     VALUES (${names.map((_, index) => `$${index + 1}`).join(', ')}) ON CONFLICT DO NOTHING`,
    Object.values(row),
  );
}
