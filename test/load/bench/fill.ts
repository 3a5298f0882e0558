import { performance } from 'node:perf_hooks';
import { pipeline } from 'node:stream/promises';

import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

import { formatCount, formatDuration, formatRate } from '../../../src/cli/format.ts';
import type { Progress } from '../../../src/cli/progress.ts';
import { COLUMNS, type Fill, INSERT_DAYS_IN_ORDER, selectTransactions } from './data-set.sql.ts';
import { DISABLE_TRIGGERS, ENABLE_TRIGGERS } from './triggers.ts';

/** Committed together: often enough to go on from, seldom enough to be fast. */
const CHUNK = 100_000;

/**
 * What must be done yet before the data set may be used, in order; it outlives a run that was
 * broken off.
 */
export const CREATE_TO_DO =
  'CREATE TABLE IF NOT EXISTS bench_to_do (position serial PRIMARY KEY, statement text UNIQUE NOT NULL)';

const ADD_INDEXES = `WITH secondary AS (
    SELECT indexrelid FROM pg_index WHERE indrelid = 'transactions'::regclass AND NOT indisprimary
  ), listed AS (
    INSERT INTO bench_to_do (statement)
    SELECT regexp_replace(pg_get_indexdef(indexrelid), ' INDEX ', ' INDEX IF NOT EXISTS ') FROM secondary ON CONFLICT DO NOTHING
  ) SELECT indexrelid::regclass::text AS name FROM secondary`;

const ANALYZE = 'VACUUM ANALYZE';
const REBUILD = 'SELECT count(statistics_rebuild(id)) FROM tenants';

/**
 * Makes transactions without secondary indexes and triggers, which are caught up with at the end:
 * several times faster than keeping them row by row. A run that was broken off goes on where it
 * stopped.
 */
export async function fillTransactions(client: pg.Client, fill: Fill, progress: Progress): Promise<void> {
  await client.query("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'; SET work_mem = '64MB'");
  await dropIndexes(client, [fill.data === 'life' ? INSERT_DAYS_IN_ORDER : REBUILD, ANALYZE]);
  const silence = await silenceOf(client);
  const startedAt = performance.now();
  for (let done = fill.from; done < fill.to; ) {
    const next = Math.min(done + CHUNK, fill.to);
    await addChunk(client, { ...fill, from: done, to: next }, silence);
    done = next;
    progress.update(() => growth(done - fill.from, fill.to - fill.from, performance.now() - startedAt));
  }
  progress.log(growth(fill.to - fill.from, fill.to - fill.from, performance.now() - startedAt));
  await client.query('RESET synchronous_commit; RESET work_mem');
}

/**
 * Makes all transactions by one COPY: the triggers keep their totals, and the indexes are there.
 */
export async function copyTransactions(client: pg.Client, fill: Fill, progress: Progress): Promise<void> {
  const startedAt = performance.now();
  const { host, port, user, password, database } = client;
  const source = new pg.Client({ host, port, user, password: password ?? undefined, database: database ?? undefined });
  await source.connect();
  try {
    progress.update(() => `copying, for ${formatDuration(performance.now() - startedAt)}`);
    await client.query('BEGIN');
    await pipeline(
      source.query(copyTo(`COPY (${selectTransactions(fill)}) TO STDOUT`)),
      client.query(copyFrom(`COPY transactions (${COLUMNS}) FROM STDIN`)),
    );
    await client.query('UPDATE bench_data_set SET transactions = $1', [fill.to]);
    await client.query('INSERT INTO bench_to_do (statement) VALUES ($1)', [ANALYZE]);
    await client.query('COMMIT');
  } finally {
    await source.end();
  }
  progress.log(growth(fill.to, fill.to, performance.now() - startedAt));
}

/** Does what a fill has left for its end. */
export async function finishFill(client: pg.Client, progress: Progress): Promise<void> {
  const { rows } = await client.query<{ position: number; statement: string }>(
    'SELECT position, statement FROM bench_to_do ORDER BY position',
  );
  for (const { position, statement } of rows) {
    const startedAt = performance.now();
    await client.query(statement);
    await client.query('DELETE FROM bench_to_do WHERE position = $1', [position]);
    progress.log(`${formatDuration(performance.now() - startedAt)}: ${statement.split('\n')[0]}`);
  }
  await client.query('RESET maintenance_work_mem');
}

/** All or nothing: what is dropped is on the list. */
async function dropIndexes(client: pg.Client, afterwards: readonly string[]): Promise<void> {
  await client.query('BEGIN');
  const { rows } = await client.query<{ name: string }>(ADD_INDEXES);
  for (const { name } of rows) await client.query(`DROP INDEX ${name}`);
  await client.query('DELETE FROM bench_to_do WHERE statement = ANY ($1)', [afterwards]);
  for (const statement of afterwards)
    await client.query('INSERT INTO bench_to_do (statement) VALUES ($1)', [statement]);
  await client.query('COMMIT');
}

/**
 * Foreign keys hold by the way the rows are made; only a superuser may leave their checks out as
 * well.
 */
async function silenceOf(client: pg.Client): Promise<{ off: string; on: string }> {
  const { rows } = await client.query<{ is: boolean }>(
    'SELECT rolsuper AS is FROM pg_roles WHERE rolname = current_user',
  );
  return rows[0]?.is
    ? { off: `${DISABLE_TRIGGERS}; SET LOCAL session_replication_role = replica`, on: ENABLE_TRIGGERS }
    : { off: DISABLE_TRIGGERS, on: ENABLE_TRIGGERS };
}

async function addChunk(client: pg.Client, fill: Fill, silence: { off: string; on: string }) {
  await client.query(`BEGIN; ${silence.off}`);
  await client.query(`INSERT INTO transactions (${COLUMNS}) ${selectTransactions(fill)}`);
  await client.query('UPDATE bench_data_set SET transactions = $1', [fill.to]);
  await client.query(`${silence.on}; COMMIT`);
}

function growth(done: number, all: number, durationMs: number): string {
  const left = done === 0 ? 0 : (durationMs / done) * (all - done);
  const rate = formatRate(done, durationMs, 'rows');
  return `${formatCount(done)} of ${formatCount(all)} transactions, ${rate}${left > 0 ? `, ${formatDuration(left)} left` : ''}`;
}
