import pg from 'pg';

import type { Explainable, PlanMode } from '../../src/database/explain.ts';
import type { Queryable } from '../../src/database/read-indexes.ts';

/** Pages that a reading statement looks at when it runs, of tables and of indexes. */
export async function buffersRead(client: Queryable, { text, values }: Explainable, mode: PlanMode): Promise<number> {
  await client.query(`SET LOCAL plan_cache_mode = force_${mode}_plan`);
  await client.query(`PREPARE measured AS ${text}`);
  const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
    `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE measured(${values.map(literal).join(', ')})`,
  );
  await client.query('DEALLOCATE measured');
  const plan = rows[0]?.['QUERY PLAN'][0].Plan;
  if (!plan) throw new Error('EXPLAIN gave no plan');
  return (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0);
}

export function literal(value: unknown): string {
  if (value === null) return 'NULL';
  if (Array.isArray(value)) return pg.escapeLiteral(`{${value.map((item) => JSON.stringify(item)).join(',')}}`);
  return pg.escapeLiteral(String(value));
}
