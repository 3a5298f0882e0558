import { performance } from 'node:perf_hooks';
import pg from 'pg';

import { refuseDuringMigration } from '../cli/write-guard.ts';
import { readIndexes } from '../database/read-indexes.ts';
import { UnavailableError } from '../errors.ts';
import { refuseUnchangeable, whileNobodyElseCreates } from './change-guard.ts';
import { type CreatePlan, type CreateStep, planCreation } from './create-plan.ts';
import { markStatement, unmarkedComparisons } from './leakproof.ts';

const LOCK_NOT_AVAILABLE = '55P03';

/** An index that was made. */
export interface CreatedIndex {
  readonly index: string;
  readonly durationMs: number;
  /** 0 for one that was only dropped. */
  readonly sizeBytes: number;
}

export interface CreateOptions {
  readonly tables: readonly string[];
  /** How long a creation waits for transactions that hold its table, or that began before it. */
  readonly lockTimeoutMs: number;
  /** Only say what would be done. */
  readonly dryRun: boolean;
  /** Told each statement before it runs. */
  readonly onStatement: (sql: string, reason: string) => void;
  readonly onCreated: (created: CreatedIndex) => void;
}

/**
 * Creates what the catalogue lists for these tables and the database lacks, one index after another
 * and without blocking reads or writes. What is there is looked up within the lock. An index that
 * fails is taken away again.
 * @returns what it did, or would do
 */
export async function createIndexes(client: pg.ClientBase, options: CreateOptions): Promise<CreatePlan> {
  await refuseUnchangeable(client, options.tables);
  return whileNobodyElseCreates(client, async () => {
    await refuseDuringMigration(client);
    const plan = await readPlan(client, options.tables);
    for (const step of plan.steps) {
      for (const sql of step.statements) options.onStatement(sql, step.reason);
      if (options.dryRun) continue;
      await refuseDuringMigration(client);
      options.onCreated(await run(client, step, options.lockTimeoutMs));
    }
    return plan;
  });
}

async function readPlan(client: pg.ClientBase, tables: readonly string[]): Promise<CreatePlan> {
  const plan = planCreation(tables, await readIndexes(client, tables));
  const marks = await marking(client);
  return { ...plan, steps: [...plan.steps, ...marks] };
}

/** Only a superuser may mark them; for others `indexes:analyze` tells what is missing. */
async function marking(client: pg.ClientBase): Promise<CreateStep[]> {
  const { rows } = await client.query<{ super: boolean }>("SELECT current_setting('is_superuser') = 'on' AS super");
  const unmarked = rows[0]?.super ? await unmarkedComparisons(client) : [];
  return unmarked.map((comparison) => ({
    index: comparison,
    reason: 'not leakproof: no index is searched by it under row-level security',
    statements: [markStatement(comparison)],
  }));
}

async function run(
  client: pg.ClientBase,
  { index, statements }: CreateStep,
  lockTimeoutMs: number,
): Promise<CreatedIndex> {
  const startedAt = performance.now();
  await client.query(`SET lock_timeout = ${lockTimeoutMs}`);
  await client.query('SET statement_timeout = 0');
  try {
    for (const sql of statements) await client.query(sql);
  } catch (cause) {
    throw explained(index, cause, await removeInvalid(client, index));
  }
  return { index, durationMs: performance.now() - startedAt, sizeBytes: await sizeOf(client, index) };
}

/**
 * A broken-off CREATE INDEX CONCURRENTLY leaves an index that every write pays for and no read
 * uses. Taking it away has to wait for the same transactions.
 * @returns whether it is still there
 */
async function removeInvalid(client: pg.ClientBase, index: string): Promise<boolean> {
  const { rowCount } = await client.query(
    'SELECT FROM pg_index WHERE indexrelid = to_regclass(quote_ident($1)) AND NOT indisvalid AND NOT indisprimary',
    [index],
  );
  if (!rowCount) return false;
  return client.query(`DROP INDEX CONCURRENTLY ${pg.escapeIdentifier(index)}`).then(
    () => false,
    (error) => {
      if (isLockTimeout(error)) return true;
      throw error;
    },
  );
}

function explained(index: string, cause: unknown, isLeft: boolean): unknown {
  if (!isLockTimeout(cause)) return cause;
  const left = isLeft ? ' What was begun stays behind as INVALID; the next run rebuilds it.' : '';
  return new UnavailableError(
    `${index} was not made: other transactions kept it waiting for longer than --lock-timeout.${left}`,
    'Run it again when long transactions have ended (pg_stat_activity shows them), or give a longer --lock-timeout.',
    { cause },
  );
}

function isLockTimeout(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === LOCK_NOT_AVAILABLE;
}

async function sizeOf(client: pg.ClientBase, index: string): Promise<number> {
  const { rows } = await client.query<{ size: number }>(
    'SELECT coalesce(pg_relation_size(to_regclass(quote_ident($1))), 0)::float8 AS size',
    [index],
  );
  return rows[0]?.size ?? 0;
}
