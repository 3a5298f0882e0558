import type { Queryable } from '../database/read-indexes.ts';

/**
 * Comparisons that row-level security keeps out of index conditions while they are not marked
 * leakproof. The migration `leakproof_comparisons` says why they may be.
 */
const LEAKPROOF_COMPARISONS: readonly string[] = [
  'enum_eq(anyenum, anyenum)',
  'numeric_lt(numeric, numeric)',
  'numeric_le(numeric, numeric)',
  'numeric_gt(numeric, numeric)',
  'numeric_ge(numeric, numeric)',
];

/** Those that are not marked in this database. */
export async function unmarkedComparisons(client: Queryable): Promise<string[]> {
  const { rows } = await client.query<{ comparison: string }>(
    `SELECT comparison FROM unnest($1::text[]) WITH ORDINALITY AS listed (comparison, position)
       JOIN pg_proc ON pg_proc.oid = ('pg_catalog.' || comparison)::regprocedure
     WHERE NOT proleakproof ORDER BY position`,
    [LEAKPROOF_COMPARISONS],
  );
  return rows.map(({ comparison }) => comparison);
}

/** The statement that marks one of them; only a superuser may run it. */
export function markStatement(comparison: string): string {
  return `ALTER FUNCTION pg_catalog.${comparison} LEAKPROOF;`;
}
