import { performance } from 'node:perf_hooks';

import type pg from 'pg';

import { COLUMNS, selectTransactions } from './data-set.sql.ts';
import { median } from './percentile.ts';
import { DISABLE_TRIGGERS } from './triggers.ts';

const ROWS = 20_000;
const ROUNDS = 3;
/**
 * Beyond those of any step. Each measurement has rows of its own: whoever comes second to the same
 * pages of an index finds them in memory and in the log already, which more than doubles its rate
 * in a large table.
 */
const FIRST_ROW = 1_000_000_000;

/** Rows a second of one connection, and what was switched off. */
export interface WriteCost {
  readonly title: string;
  readonly rowsPerSecond: number;
}

const VARIANTS = [
  { title: 'with all indexes and triggers', indexes: true, triggers: true },
  { title: 'without triggers', indexes: true, triggers: false },
  { title: 'without secondary indexes', indexes: false, triggers: true },
  { title: 'without both', indexes: false, triggers: false },
];

/**
 * What a bulk write costs. Each is rolled back, and with it the dropping of the indexes: nothing is
 * changed.
 */
export async function measureWriteCosts(client: pg.Client, accounts: number, lastDay: string): Promise<WriteCost[]> {
  const rates = VARIANTS.map((): number[] => []);
  const fill = { total: 0, accounts, endDay: lastDay, data: 'spread' } as const;
  for (let round = 0; round < ROUNDS; round++)
    for (const [index, variant] of VARIANTS.entries()) {
      await client.query('BEGIN');
      if (!variant.triggers) await client.query(DISABLE_TRIGGERS);
      if (!variant.indexes) await dropIndexes(client);
      const startedAt = performance.now();
      const from = FIRST_ROW + (round * VARIANTS.length + index) * ROWS;
      await client.query(
        `INSERT INTO transactions (${COLUMNS}) ${selectTransactions({ ...fill, from, to: from + ROWS })}`,
      );
      rates[index]?.push((ROWS * 1000) / (performance.now() - startedAt));
      await client.query('ROLLBACK');
    }
  await client.query('VACUUM transactions');
  return VARIANTS.map(({ title }, index) => ({ title, rowsPerSecond: median(rates[index] ?? []) }));
}

async function dropIndexes(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT indexrelid::regclass::text AS name FROM pg_index WHERE indrelid = 'transactions'::regclass AND NOT indisprimary`,
  );
  for (const { name } of rows) await client.query(`DROP INDEX ${name}`);
}
