import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProductQuery, productQueries } from '../../src/indexes/product-queries.ts';
import { sampleTenants } from '../../src/indexes/samples.ts';
import { SlowPlans } from '../../src/monitoring/slow-plans.ts';
import { insertAccounts, insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';

const PAGE = 'SELECT * FROM bank_accounts WHERE tenant_id = $1 ORDER BY created_at, id LIMIT 5';

let database: TestDatabase;
let tenantId: string;
let queries: readonly ProductQuery[];
let errors: string[];

beforeAll(async () => {
  database = await createTestDatabase();
  tenantId = await insertTenant(database.url, { slug: 'north' });
  await insertAccounts(database.url, tenantId, [{ accountNumber: '1' }]);
  const [sample] = await withClient(database.url, sampleTenants);
  queries = sample ? await productQueries(sample) : [];
});
afterAll(() => database?.drop());

function newPlans(url = database.url): SlowPlans {
  errors = [];
  return new SlowPlans(url, (code) => errors.push(code));
}

describe('the plan of a slow statement', () => {
  it('is had for every query of the product, and for none of its writes', async () => {
    const plans = newPlans();
    const planned: Record<'reading' | 'writing', Set<boolean>> = { reading: new Set(), writing: new Set() };
    for (const { query } of distinct(queries)) {
      const plan = await plans.planOf({ sql: query.text, values: query.values, tenantId });
      planned[
        /FOR (UPDATE|NO KEY UPDATE|SHARE)|^\s*(UPDATE|INSERT|WITH.*\bUPDATE\b)/s.test(query.text)
          ? 'writing'
          : 'reading'
      ].add(plan !== null);
    }
    expect(errors).toEqual([]);
    expect(planned).toEqual({ reading: new Set([true]), writing: new Set([false]) });
  });

  it('is that of the tenant: the policy is in it, and the index that its values lead to', async () => {
    const plan = await newPlans().planOf({ sql: PAGE, values: [tenantId], tenantId });
    expect(plan).toMatch(/^Limit \(cost /);
    expect(plan).toMatch(/ on bank_accounts/);
    expect(plan).toContain('current_setting(?::text, ?)');
    expect(plan).toMatch(/ by bank_accounts_\w+ \(cost/);
  });

  it('shows no value, whatever signs it has', async () => {
    const secrets = [
      "it's secret",
      'back\\slash secret',
      '"quoted" secret',
      "'); DELETE secret --",
      '$1 secret',
      "E\\'secret",
    ];
    const sql = (at: number) =>
      `SELECT ${at} FROM bank_accounts WHERE bank_name = $1 AND account_number <> ALL ($2) AND balance > $3 AND created_at > $4`;
    const plans = newPlans();
    for (const [at, secret] of secrets.entries()) {
      const values = [secret, secrets, '4711.4711', '2024-04-07T11:47:11Z'];
      const plan = await plans.planOf({ sql: sql(at), values, tenantId });
      expect(plan).toContain('bank_name');
      expect(plan?.replace(/\(cost .*\)$/gm, '')).not.toMatch(/secret|4711|2024/);
    }
    expect(errors).toEqual([]);
  });

  it('is made without running anything', async () => {
    await withClient(database.url, (client) =>
      client.query(`CREATE TABLE calls (); GRANT INSERT ON calls TO PUBLIC;
        CREATE FUNCTION noted() RETURNS text LANGUAGE plpgsql AS 'BEGIN INSERT INTO calls DEFAULT VALUES; RETURN 1; END'`),
    );
    const plan = await newPlans().planOf({ sql: 'SELECT noted() FROM bank_accounts', values: [], tenantId });
    expect(plan).toContain('bank_accounts');
    const { rowCount } = await withClient(database.url, (client) => client.query('SELECT FROM calls'));
    expect(rowCount).toBe(0);
  });

  it('is not made while another is, and of one shape only once a while', async () => {
    const plans = newPlans();
    const other = PAGE.replace('5', '6');
    const [first, meanwhile] = await Promise.all([
      plans.planOf({ sql: PAGE, values: [tenantId], tenantId }),
      plans.planOf({ sql: other, values: [tenantId], tenantId }),
    ]);
    expect([first !== null, meanwhile]).toEqual([true, null]);
    expect(await plans.planOf({ sql: PAGE, values: [tenantId], tenantId })).toBeNull();
    expect(await plans.planOf({ sql: other, values: [tenantId], tenantId })).not.toBeNull();
  });

  it('is missing, and the reason told by its code alone, when it cannot be had', async () => {
    const plans = newPlans();
    expect(await plans.planOf({ sql: 'SELECT $1::uuid', values: ['secret'], tenantId })).toBeNull();
    expect(errors).toEqual(['22P02']);
    const refused = new URL(database.url);
    refused.pathname = '/tenantry_test_none';
    expect(await newPlans(refused.href).planOf({ sql: PAGE, values: [tenantId], tenantId })).toBeNull();
    expect(errors).toEqual(['3D000']);
  });

  it('is given up when it would have to wait for a lock', async () => {
    await withClient(database.url, async (client) => {
      await client.query('BEGIN; LOCK TABLE bank_accounts IN ACCESS EXCLUSIVE MODE');
      expect(await newPlans().planOf({ sql: PAGE, values: [tenantId], tenantId })).toBeNull();
    });
    expect(errors).toEqual(['55P03']);
  });
});

function distinct(all: readonly ProductQuery[]): ProductQuery[] {
  return [...new Map(all.map((query) => [query.query.text, query])).values()];
}
