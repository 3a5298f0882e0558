import { performance } from 'node:perf_hooks';

import pg from 'pg';

import type { Progress } from '../../../src/cli/progress.ts';
import type { DataSet } from './data-set.ts';
import type { BenchDatabase } from './database.ts';
import { WRITE_CATEGORY } from './operations.ts';
import type { BenchOptions } from './options.ts';
import { median } from './percentile.ts';
import { switchTriggers } from './triggers.ts';

/** All of one tenant: that is where they could stand in one another's way. */
const WRITERS = 24;
/** Names of the triggers that keep the statistics; the table's others are the cache's. */
const KEEPS_STATISTICS = /^keep_totals_/;

const INSERT = `INSERT INTO transactions (tenant_id, account_id, booked_at, direction, amount, currency, category)
  SELECT tenant_id, account_id, $3::date, 'CREDIT', 1, currency, '${WRITE_CATEGORY}' FROM bench_account_numbers
  WHERE tenant_id = $1 AND account_id = $2`;

/** Which triggers on transactions are on. */
export interface WriterResult {
  readonly statistics: boolean;
  readonly outbox: boolean;
  /** Commits of one row each, all writers together; the median over the rounds. */
  readonly transactionsPerSecond: number;
  /** Over the throughput without any of these triggers. */
  readonly ratio: number;
}

type Variant = Pick<WriterResult, 'statistics' | 'outbox'> & { readonly rates: number[] };

/**
 * How many transactions a second 24 writers of one tenant commit, with and without the triggers.
 */
export async function measureWriters(
  { url, client }: BenchDatabase,
  dataSet: DataSet,
  { rounds, secondsPerCase }: BenchOptions,
  progress: Progress,
): Promise<WriterResult[]> {
  const variants: Variant[] = [false, true].flatMap((outbox) =>
    [false, true].map((statistics) => ({ statistics, outbox, rates: [] })),
  );
  const pool = new pg.Pool({ connectionString: url, max: WRITERS });
  try {
    const accounts = await accountsOf(client, dataSet);
    for (let round = 0; round <= rounds; round++) {
      for (const variant of variants) {
        progress.update(() => `writers, round ${round} of ${rounds}`);
        await client.query(triggersOf(variant));
        const rate = await write(pool, accounts, dataSet, secondsPerCase * 1000);
        if (round > 0) variant.rates.push(rate); // the first warms up
      }
    }
  } finally {
    await pool.end();
  }
  const [without] = variants;
  return variants.map(({ statistics, outbox, rates }) => ({
    statistics,
    outbox,
    transactionsPerSecond: median(rates),
    ratio: median(rates.map((rate, round) => rate / (without?.rates[round] ?? Number.NaN))),
  }));
}

async function write(
  pool: pg.Pool,
  accounts: readonly string[],
  { tenants, lastDay }: DataSet,
  durationMs: number,
): Promise<number> {
  const startedAt = performance.now();
  let written = 0;
  const writer = async (number: number) => {
    const client = await pool.connect();
    try {
      for (let turn = number; performance.now() - startedAt < durationMs; turn += WRITERS) {
        const account = accounts[turn % accounts.length];
        await client.query({ name: 'write', text: INSERT, values: [tenants[0]?.id, account, lastDay] });
        written++;
      }
    } finally {
      client.release();
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, number) => writer(number)));
  return (written * 1000) / (performance.now() - startedAt);
}

function triggersOf({ statistics, outbox }: Variant): string {
  return switchTriggers((name) => (KEEPS_STATISTICS.test(name) ? statistics : outbox));
}

async function accountsOf(client: pg.Client, { tenants }: DataSet): Promise<string[]> {
  const text = 'SELECT account_id AS id FROM bench_account_numbers WHERE tenant_id = $1 ORDER BY number';
  const { rows } = await client.query<{ id: string }>(text, [tenants[0]?.id]);
  return rows.map(({ id }) => id);
}
