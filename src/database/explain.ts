import pg, { type QueryConfig } from 'pg';
import type { PlanNode } from './plan.ts';
import type { Queryable } from './read-indexes.ts';
import { SERVICE_ROLE } from './service-rights.ts';

/** A statement as PostgreSQL would plan it for a tenant. */
export interface Explainable {
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * The two plans that a prepared statement can have: with the values known, and the generic one,
 * which PostgreSQL takes after five executions when it seems to cost no more.
 */
export type PlanMode = 'custom' | 'generic';

export const PLAN_MODES: readonly PlanMode[] = ['custom', 'generic'];

/** What the planner is told for as long as a plan is made, as settings and their values. */
export type PlannerSettings = Readonly<Record<string, string>>;

/**
 * The plan of a statement. Nothing is executed, and nothing of it stays behind when it cannot be
 * planned. Within `asTenant`.
 */
export async function explain(
  client: Queryable,
  { text, values }: Explainable,
  mode: PlanMode = 'custom',
): Promise<PlanNode> {
  if (mode === 'custom') return planOf(await send(client, `EXPLAIN (FORMAT JSON) ${text}`, values));
  await client.query('SAVEPOINT explained; SET LOCAL plan_cache_mode = force_generic_plan');
  let isPrepared = false;
  try {
    await send(client, `PREPARE explained AS ${text}`);
    isPrepared = true;
    // A generic plan is made without looking at the values.
    const nulls = values.length ? `(${values.map(() => 'NULL').join(', ')})` : '';
    return planOf(await client.query(`EXPLAIN (FORMAT JSON) EXECUTE explained${nulls}`));
  } finally {
    // A prepared statement outlives the transaction that made it.
    await client.query(`ROLLBACK TO explained${isPrepared ? '; DEALLOCATE explained' : ''}`);
  }
}

/**
 * By the extended protocol, which takes one statement: what follows a semicolon in the text would
 * be executed.
 */
function send(client: Queryable, text: string, values: readonly unknown[] = []): Promise<{ rows: unknown[] }> {
  return client.query({ text, values: [...values], queryMode: 'extended' } as QueryConfig);
}

/**
 * Lets `work` see the database as the service does for a tenant: with its role, where the login may
 * take it, and held to row-level security. Nothing of it stays behind.
 */
export async function asTenant<Result>(
  client: Queryable,
  tenantId: string,
  work: () => Promise<Result>,
  settings: PlannerSettings = {},
): Promise<Result> {
  await client.query('BEGIN');
  try {
    if (await mayTakeServiceRole(client)) await client.query(`SET LOCAL ROLE ${SERVICE_ROLE}`);
    await client.query(`SET LOCAL app.tenant_id = ${pg.escapeLiteral(tenantId)}`);
    for (const [name, value] of Object.entries(settings)) await client.query(`SET LOCAL ${name} = ${value}`);
    return await work();
  } finally {
    await client.query('ROLLBACK');
  }
}

async function mayTakeServiceRole(client: Queryable): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean }>(
    `SELECT count(*) > 0 AS may FROM pg_roles WHERE rolname = $1 AND pg_has_role(oid, 'MEMBER')`,
    [SERVICE_ROLE],
  );
  return rows[0]?.may ?? false;
}

function planOf({ rows }: { rows: unknown[] }): PlanNode {
  const [row] = rows as { 'QUERY PLAN': [{ Plan: PlanNode }] }[];
  if (!row) throw new Error('EXPLAIN gave no plan');
  return row['QUERY PLAN'][0].Plan;
}
