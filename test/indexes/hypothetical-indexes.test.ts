import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openCommandDatabase } from '../../src/commands/command-database.ts';
import { createStatement } from '../../src/database/index-definition.ts';
import { readIndexes } from '../../src/database/read-indexes.ts';
import { MODELS, tablesOf } from '../../src/database/tables.ts';
import { adviseIndexes } from '../../src/indexes/advise-database.ts';
import { createIndexes } from '../../src/indexes/apply.ts';
import { productQueries } from '../../src/indexes/product-queries.ts';
import { sampleTenants } from '../../src/indexes/samples.ts';
import {
  findInstalledPostgres,
  type InstalledPostgres,
  startInstalledPostgres,
} from '../support/installed-postgres.ts';
import { migrationScripts } from '../support/template.ts';

const REMOVED = [
  'bank_accounts_tenant_balance_idx',
  'bank_accounts_tenant_updated_idx',
  'transactions_tenant_booked_idx',
];
const SUMS =
  'SELECT category, sum(amount) FROM transactions WHERE tenant_id = $1 AND booked_at >= $2 AND booked_at < $3 GROUP BY category';
const installed = findInstalledPostgres('hypopg');
if (!installed)
  console.warn('left out: hypothetical indexes. On Debian: apt-get install postgresql-15 postgresql-15-hypopg');

describe.skipIf(!installed)('indexes:advise with HypoPG', () => {
  let server: InstalledPostgres;
  let client: pg.Client;

  beforeAll(async () => {
    server = await startInstalledPostgres(installed ?? '');
    client = await connected(server.url);
    for (const script of migrationScripts()) await client.query(script);
    await client.query('CREATE EXTENSION hypopg');
    await client.query(FILL);
    await client.query('VACUUM (ANALYZE) bank_accounts, transactions, tenants, account_totals, daily_totals');
  }, 120_000);
  afterAll(async () => {
    await client?.end();
    server?.stop();
  });

  it('advises nothing on the healthy schema', async () => {
    const advice = await adviseIndexes(client, await everyQuery());
    expect(advice).toMatchObject({ create: [], drop: [] });
  });

  it('advises to carry columns for a sum over many rows, and only where the table need not be read for it', async () => {
    const sums = { source: 'a test', statements: [{ sql: SUMS, meanMs: 5, callsPerDay: 1_000_000 }] };
    const [advice] = (await adviseIndexes(client, sums)).create;
    expect(advice && createStatement(advice.index)).toBe(
      'CREATE INDEX CONCURRENTLY "transactions_tenant_booked_with_amount_category_idx" ON "transactions" (tenant_id, booked_at) INCLUDE (amount, category);',
    );
    await client.query("UPDATE pg_class SET relallvisible = 0 WHERE relname = 'transactions'");
    expect((await adviseIndexes(client, sums)).create).toEqual([]);
    await client.query('VACUUM transactions');
  });

  it('finds removed indexes again, on the tables themselves and without building any', async () => {
    await client.query(`DROP INDEX ${REMOVED.join(', ')}`);
    const before = await readIndexes(client, tablesOf(MODELS));
    const advice = await adviseIndexes(client, await everyQuery());
    expect(advice.method).toBe('hypothetical indexes (HypoPG)');
    expect(advice.create.map(({ index }) => index.name).sort()).toEqual(REMOVED);
    for (const { gains } of advice.create) {
      expect(gains.flatMap(({ tenants }) => tenants.map(({ slug }) => slug))).toEqual(
        expect.arrayContaining(['tenant-1', 'tenant-8']),
      );
    }
    expect(await readIndexes(client, tablesOf(MODELS))).toEqual(before);
    const { rows } = await client.query(
      'SELECT FROM hypopg_list_indexes UNION ALL SELECT FROM pg_class WHERE relpersistence = $$t$$',
    );
    expect(rows).toEqual([]);
  });

  it('works on a hot standby, where commands that write are refused', async () => {
    const workload = await everyQuery();
    await client.end();
    server.restartAsReplica();
    client = await connected(server.url);
    const advice = await adviseIndexes(client, workload);
    expect(advice.create.map(({ index }) => index.name).sort()).toEqual(REMOVED);
    await expect(openCommandDatabase({ command: 'a test', url: server.url, writes: ['tenants'] })).rejects.toThrow(
      'This server is a read-only replica; nothing was changed.',
    );
    const options = { dryRun: false, lockTimeoutMs: 1_000, onStatement: () => {}, onCreated: () => {} };
    await expect(createIndexes(client, { tables: tablesOf(MODELS), ...options })).rejects.toThrow('read-only replica');
  });

  /** As if each query of the product that reads were sent all day long. */
  async function everyQuery() {
    const largest = (await sampleTenants(client)).at(-1);
    const queries = largest ? await productQueries(largest) : [];
    const texts = new Set(
      queries.map(({ query }) => query.text).filter((text) => text.trimStart().startsWith('SELECT')),
    );
    return { source: 'a test', statements: [...texts].map((sql) => ({ sql, meanMs: 1, callsPerDay: 1_000_000 })) };
  }
});

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

/**
 * Eight tenants, the first with half of 20,000 accounts and 60,000 transactions. Without triggers.
 */
const FILL = `
  SET session_replication_role = replica;
  INSERT INTO tenants (id, slug, name, time_zone)
    SELECT md5('tenant ' || n)::uuid, 'tenant-' || n, 'Tenant ' || n, 'UTC' FROM generate_series(1, 8) n;
  INSERT INTO bank_accounts (tenant_id, id, bank_name, account_number, account_type, status, currency, balance, created_at, updated_at)
    SELECT md5('tenant ' || 1 + CASE WHEN n % 2 = 0 THEN 0 ELSE n % 15 / 2 END)::uuid, md5('account ' || n)::uuid, 'Bank ' || n % 12,
      'N' || n, (enum_range(NULL::account_type))[1 + n % 5], (CASE n % 20 WHEN 18 THEN 'FROZEN' ELSE 'ACTIVE' END)::account_status,
      'EUR', n * 7919 % 10007, timestamptz '2020-01-01Z' + n * interval '1 hour', timestamptz '2024-01-01Z' + n * 7907 % 10009 * interval '1 min'
    FROM generate_series(1, 20000) n;
  INSERT INTO transactions (tenant_id, id, account_id, booked_at, direction, amount, currency, category)
    SELECT tenant_id, md5('movement ' || n || id)::uuid, id, timestamptz '2024-01-01Z' + hashtext(n || account_number) % 5000 * interval '1 hour',
      'CREDIT', n, currency, 'category ' || n
    FROM bank_accounts, generate_series(1, 3) n;
  SELECT statistics_rebuild(id) FROM tenants;
  RESET session_replication_role`;
