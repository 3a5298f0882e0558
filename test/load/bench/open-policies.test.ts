import { afterAll, beforeAll, expect, test } from 'vitest';
import { insertTenant } from '../../support/fixtures.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../../support/postgres.ts';
import { withCleanup } from './cleanup.ts';
import { openPolicies } from './open-policies.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  for (const slug of ['acme', 'globex']) await insertTenant(database.url, { slug });
});

afterAll(() => database.drop());

test('the login reads all tenants by plans without a policy, and is gone with its policies at the end', async () => {
  const policies = await countPolicies();
  await withClient(database.url, (client) =>
    withCleanup(async (cleanup) => {
      const url = await openPolicies(
        { url: database.url, serviceUrl: '', client, pid: Number.NaN, version: '' },
        cleanup,
      );
      await withClient(url, async (own) => {
        expect((await own.query('SELECT slug FROM tenants ORDER BY slug')).rowCount).toBe(2);
        const { rows } = await own.query('EXPLAIN SELECT * FROM transactions');
        expect(JSON.stringify(rows)).not.toContain('app.tenant_id');
      });
      expect(await countPolicies()).toBeGreaterThan(policies);
    }),
  );
  expect(await countPolicies()).toBe(policies);
  const { rowCount } = await withClient(database.url, (client) =>
    client.query("SELECT FROM pg_roles WHERE rolname = 'tenantry_bench_open'"),
  );
  expect(rowCount).toBe(0);
});

async function countPolicies(): Promise<number> {
  const { rows } = await withClient(database.url, (client) =>
    client.query('SELECT count(*)::int AS n FROM pg_policies'),
  );
  return rows[0]?.n;
}
