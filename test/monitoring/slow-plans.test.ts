import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { indexAdvice } from '../../src/indexes/index-verdict.ts';
import { type ProductQuery, productQueries } from '../../src/indexes/product-queries.ts';
import { sampleTenants } from '../../src/indexes/samples.ts';
import { type Advise, type PlannedStatement, SlowPlans } from '../../src/monitoring/slow-plans.ts';
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

function newPlans(url = database.url, advise?: Advise): SlowPlans {
  errors = [];
  return new SlowPlans(url, (code) => errors.push(code), advise);
}

async function textOf(plans: SlowPlans, statement: PlannedStatement): Promise<string | undefined> {
  return (await plans.planOf(statement))?.text;
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
    const plan = await textOf(newPlans(), { sql: PAGE, values: [tenantId], tenantId });
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
      const plan = await textOf(plans, { sql: sql(at), values, tenantId });
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
    const plan = await textOf(newPlans(), { sql: 'SELECT noted() FROM bank_accounts', values: [], tenantId });
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

describe('the advice on a slow statement', () => {
  const COUNT = 'SELECT count(*) FROM bank_accounts WHERE tenant_id = $1';
  let largest: string;
  beforeAll(async () => {
    largest = await insertTenant(database.url, { slug: 'largest' });
    await withClient(database.url, (client) =>
      client.query(
        `INSERT INTO bank_accounts (tenant_id, bank_name, account_number, account_type, status, currency)
         SELECT '${largest}', 'Bank', 'A' || n, 'CHECKING', 'ACTIVE', 'EUR' FROM generate_series(1, 3000) n;
         ANALYZE bank_accounts`,
      ),
    );
  });
  const adviceOn = async (sql: string, values: unknown[] = []) => {
    const plan = await newPlans(database.url, indexAdvice).planOf({ sql, values, tenantId: largest });
    expect(errors).toEqual([]);
    return plan?.advice;
  };

  it('says that the whole table is read, how much of it for what, and no value', async () => {
    const advice = await adviceOn(`${COUNT} AND version = $2 AND currency <> $3`, [largest, 4711, 'Secret Currency']);
    expect(advice).toMatch(
      /^It reads the whole table bank_accounts, about 3,001 rows to return \d+, and no index fits /,
    );
    expect(advice).toMatch(/ fits the filter \(.*version = \?.*\)\.$/);
    expect(advice).toContain('currency <> ?');
    expect(advice).not.toMatch(/4711|Secret|[0-9a-f]{8}-[0-9a-f]{4}|tenant_id/);
  });

  it('says which index answers it, whatever else could be made', async () => {
    for (const more of ['', ' AND version = 7']) {
      const advice = await adviceOn(`${COUNT} AND account_number = $2${more}`, [largest, 'A7']);
      expect(advice).toMatch(/^It is answered by bank_accounts_\w+\.$/);
    }
  });

  it('says that an index finds more than is asked for', async () => {
    const found = await adviceOn(`${COUNT} AND account_number BETWEEN $2 AND $3 AND version = 7`, [
      largest,
      'A10',
      'A12',
    ]);
    expect(found).toMatch(/^It is answered by bank_accounts_\w+, and no index fits the filter \(.*version = \?.*\)\.$/);
  });

  it('is none where no table of the product is read', async () => {
    expect(await adviceOn('SELECT count(*) FROM pg_class')).toBeNull();
  });

  it('is left out, and the plan kept, when it cannot be had', async () => {
    const codes: string[] = [];
    const failing = async () => Promise.reject(Object.assign(new Error('secret'), { code: '57014' }));
    const plans = new SlowPlans(database.url, (code) => codes.push(code), failing);
    const plan = await plans.planOf({ sql: PAGE, values: [largest], tenantId: largest });
    expect(plan).toMatchObject({ text: expect.stringContaining('bank_accounts'), advice: null });
    expect(codes).toEqual(['57014']);
  });
});

function distinct(all: readonly ProductQuery[]): ProductQuery[] {
  return [...new Map(all.map((query) => [query.query.text, query])).values()];
}
