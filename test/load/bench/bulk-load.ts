import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { pipeline } from 'node:stream/promises';

import type pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';

import type { Progress } from '../../../src/cli/progress.ts';
import { OperatorError } from '../../../src/errors.ts';
import { importFolder } from '../../../src/import/import-folder.ts';
import type { Cleanup } from './cleanup.ts';
import { openBenchDatabase } from './database.ts';
import { WRITE_CATEGORY } from './operations.ts';

/** Of the data set at most. */
const ROWS = 1_000_000;

/** The data set in the format of `npm run import`. */
const FILES = {
  'tenants.csv': 'SELECT slug, name, time_zone FROM tenants',
  'accounts.csv': `SELECT t.slug AS tenant_slug, a.bank_name, a.account_number, a.account_type, a.status, a.currency, a.balance,
      ${instant('a.created_at')} AS created_at
    FROM bank_accounts a JOIN tenants t ON t.id = a.tenant_id`,
  'transactions.csv': `SELECT t.slug AS tenant_slug, a.bank_name, a.account_number, r.id AS external_id, ${instant('r.booked_at')} AS booked_at,
      r.direction, r.amount, r.balance_after, r.category, r.counterparty_bank, r.description
    FROM (SELECT * FROM transactions WHERE category IS DISTINCT FROM '${WRITE_CATEGORY}' LIMIT ${ROWS}) r JOIN bank_accounts a ON a.tenant_id = r.tenant_id AND a.id = r.account_id
    JOIN tenants t ON t.id = r.tenant_id`,
};

/**
 * What the import of the data set took, into an empty database with all indexes, triggers and
 * policies.
 */
export interface BulkLoadResult {
  readonly transactions: number;
  readonly accounts: number;
  readonly seconds: number;
  readonly transactionsPerSecond: number;
}

/** Writes the data set as files, and imports them as `npm run import` does. */
export async function measureBulkLoad(
  source: pg.Client,
  cleanup: Cleanup,
  progress: Progress,
): Promise<BulkLoadResult> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tenantry-bench-load-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  for (const [name, query] of Object.entries(FILES)) {
    progress.log(`writing ${name}`);
    const stream = source.query(copyTo(`COPY (${query}) TO STDOUT WITH (FORMAT csv, HEADER)`));
    await pipeline(stream, createWriteStream(path.join(folder, name)));
  }
  const log = (line: string) => progress.log(line);
  const { client } = await openBenchDatabase('tenantry_bench_load', { cleanup, log, temporary: true });
  const startedAt = performance.now();
  const update = (line: () => string) => progress.update(line);
  const result = await importFolder({ client, folder, rejectsPath: path.join(folder, 'rejects.csv'), update });
  const seconds = (performance.now() - startedAt) / 1000;
  const { transactions, accounts } = result.tables;
  if (transactions.rejected + accounts.rejected > 0)
    throw new OperatorError('The import rejected rows of the data set.', 'Make it anew: npm run bench -- --fresh');
  return {
    transactions: transactions.inserted,
    accounts: accounts.inserted,
    seconds,
    transactionsPerSecond: transactions.inserted / seconds,
  };
}

/** As the format wants it. */
function instant(column: string): string {
  return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}
