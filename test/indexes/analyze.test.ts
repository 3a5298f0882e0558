import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineIndex } from '../../src/database/index-definition.ts';
import { MODELS } from '../../src/database/tables.ts';
import { analyzeIndexes, covers } from '../../src/indexes/analyze.ts';
import { type IndexUsage, readCountingSince, readIndexUsage, readTableUsage } from '../../src/indexes/usage.ts';
import { formatAnalysis, formatTables, formatUsage } from '../../src/indexes/usage-report.ts';
import { insertAccounts, insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const MIB = 1024 * 1024;

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const tenantId = await insertTenant(database.url, { slug: 'acme' });
  const accounts = Array.from({ length: 500 }, (_, n) => ({ accountNumber: String(n), balance: String(n) }));
  await insertAccounts(database.url, tenantId, accounts);
  // The session that inserted tells its figures when it ends.
  await until(async () => (await readTableUsage(client, ['BankAccount']))[0]?.inserts === 500);
  await client.query('VACUUM (ANALYZE) bank_accounts');
});
afterAll(async () => {
  await client?.end();
  await database?.drop();
});

describe('the figures of indexes and tables', () => {
  it('count scans, entries and sizes as PostgreSQL does', async () => {
    await client.query('SET enable_seqscan = off; SET enable_bitmapscan = off');
    await client.query("SELECT balance FROM bank_accounts WHERE account_number = '7'");
    await client.query('SELECT pg_stat_force_next_flush()');
    await client.query('RESET ALL');
    const number = (await usage()).find(({ definition }) => definition.name === 'bank_accounts_number_idx');
    expect(number).toMatchObject({ model: 'BankAccount', valid: true, scans: 1, tuplesRead: 1 });
    expect(number?.sizeBytes).toBeGreaterThan(8192);
    expect(number?.cacheHitRatio).toBeGreaterThan(0);
    const [accounts] = await readTableUsage(client, ['BankAccount']);
    expect(accounts).toMatchObject({ model: 'BankAccount', rows: 500, deadRows: 0, inserts: 500 });
    expect(Date.parse(accounts?.lastAnalyze ?? '')).toBeGreaterThan(Date.now() - 600_000);
    expect(accounts).toMatchObject({ table: 'bank_accounts', vacuumAtDeadRows: 150, verdict: 'fine' });
    // It sets both by itself.
    const [outbox] = await readTableUsage(client, ['CacheOutbox']);
    expect(outbox).toMatchObject({ vacuumAtDeadRows: 20_000 });
  });

  it('estimate what a fresh index needs to within a page or a quarter of its size', async () => {
    const fresh = (await usage()).filter(({ definition }) => /_(created|balance)_idx$/.test(definition.name));
    expect(fresh.length).toBeGreaterThanOrEqual(2);
    await client.query('REINDEX TABLE bank_accounts');
    for (const { neededBytes, sizeBytes, definition } of await usage()) {
      if (definition.where || definition.method !== 'btree') continue;
      expect(Math.abs((neededBytes ?? 0) - sizeBytes), definition.name).toBeLessThanOrEqual(
        Math.max(2 * 8192, sizeBytes / 4),
      );
    }
  });

  it('are printed as tables that name every index', async () => {
    const analyzed = analyzeIndexes(await usage(), await readCountingSince(client));
    const text = formatAnalysis(analyzed, ['enum_eq(anyenum, anyenum)']);
    for (const { definition } of analyzed) expect(text).toContain(definition.name);
    expect(text).toContain('bank_accounts (tenant_id): covered by bank_accounts_pkey');
    expect(text).toContain('Not leakproof in this database: enum_eq');
    expect(formatUsage(analyzed).split('\n')).toHaveLength(analyzed.length + 2);
    expect(formatTables(await readTableUsage(client, MODELS)).split('\n')).toHaveLength(MODELS.length + 2);
  });
});

describe('the verdict on an index', () => {
  it('is used, or unused since the reset with what keeps it', async () => {
    const { verdicts } = await judged([
      index('bank_accounts_tenant_created_idx', 'tenant_id, created_at, id', { scans: 3 }),
      index('bank_accounts_number_idx', 'account_number'),
      index('mine', 'tenant_id, currency'),
    ]);
    expect(verdicts).toEqual([
      'used',
      "unused since 2026-11-01, kept: operators' lookups over all tenants",
      'unused since 2026-11-01',
    ]);
  });

  it('is duplicate for all but one of equal indexes, the catalogue keeps its own', async () => {
    const { verdicts } = await judged([
      index('a', 'tenant_id, created_at, id', { scans: 9 }),
      index('bank_accounts_tenant_created_idx', 'tenant_id, created_at, id', { scans: 1 }),
    ]);
    expect(verdicts).toEqual(['duplicate of bank_accounts_tenant_created_idx', 'used']);
  });

  it('is covered when a longer index of the same rows finds the same in the same order', async () => {
    const { verdicts } = await judged([
      index('short', 'tenant_id, created_at', { scans: 9 }),
      index('bank_accounts_tenant_created_idx', 'tenant_id, created_at, id', { scans: 1 }),
    ]);
    expect(verdicts[0]).toBe('covered by bank_accounts_tenant_created_idx');
    const define = (columns: string, kind = {}) => defineIndex('bank_accounts', 'x', columns, kind);
    const long = define('tenant_id, created_at DESC, id DESC');
    expect(covers(long, define('tenant_id'))).toBe(true);
    expect(covers(long, define('tenant_id, created_at'))).toBe(false);
    expect(covers(define('a DESC, b DESC, c'), define('a, b'))).toBe(true);
    expect(covers(long, define('tenant_id', { unique: true }))).toBe(false);
    expect(covers(long, define('tenant_id', { where: '(a)' }))).toBe(false);
    expect(covers(long, define('tenant_id', { include: ['bank_name'] }))).toBe(false);
    expect(covers(long, long)).toBe(false);
    const carrying = define('tenant_id', { include: ['bank_name'] });
    expect(covers(carrying, define('tenant_id'))).toBe(true);
    expect(covers(define('tenant_id'), carrying)).toBe(false);
  });

  it('is invalid before all else', async () => {
    const { verdicts } = await judged([
      index('a', 'tenant_id', { valid: false }),
      index('b', 'tenant_id', { scans: 1 }),
    ]);
    expect(verdicts).toEqual([
      'invalid: written and never read; npm run indexes:create leaves it alone, since the catalogue does not list it: REINDEX INDEX CONCURRENTLY "a";',
      'used',
    ]);
  });

  it('is bloated when much of a large index is free', async () => {
    const { verdicts } = await judged([
      index('a', 'tenant_id, x', { scans: 1, sizeBytes: 100 * MIB, neededBytes: 30 * MIB }),
      index('b', 'tenant_id, y', { scans: 1, sizeBytes: 100 * MIB, neededBytes: 60 * MIB }),
      index('c', 'tenant_id, z', { scans: 1, sizeBytes: 10 * MIB, neededBytes: 1 * MIB }),
      index('d', 'tenant_id, u', { scans: 1, sizeBytes: 100 * MIB, neededBytes: null }),
    ]);
    expect(verdicts).toEqual([
      'bloated: about 70% of it is free; REINDEX INDEX CONCURRENTLY "a";',
      'used',
      'used',
      'used',
    ]);
  });
});

function usage(): Promise<IndexUsage[]> {
  return readIndexUsage(client, MODELS);
}

function index(name: string, columns: string, figures: Partial<IndexUsage> = {}): IndexUsage {
  return {
    definition: defineIndex('bank_accounts', name, columns),
    model: 'BankAccount',
    valid: true,
    neededBy: null,
    statement: '',
    sizeBytes: 8192,
    scans: 0,
    tuplesRead: 0,
    cacheHitRatio: null,
    neededBytes: 8192,
    ...figures,
  };
}

async function judged(indexes: readonly IndexUsage[]): Promise<{ verdicts: string[] }> {
  const analyzed = analyzeIndexes(indexes, '2026-11-01T00:00:00.000Z');
  return { verdicts: analyzed.map(({ verdict }) => verdict.reason) };
}
