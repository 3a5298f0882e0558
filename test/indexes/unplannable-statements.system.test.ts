import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asTenant, explain, PLAN_MODES } from '../../src/database/explain.ts';
import { adviceAsJson, formatAdvice } from '../../src/indexes/advice-report.ts';
import { adviseIndexes, findWorkload } from '../../src/indexes/advise-database.ts';
import { productQueries } from '../../src/indexes/product-queries.ts';
import { sampleTenants } from '../../src/indexes/samples.ts';
import { readWorkload, type WorkloadStatement } from '../../src/indexes/workload.ts';
import { insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const REMOVED = ['bank_accounts_tenant_balance_idx', 'bank_accounts_tenant_updated_idx'];
const PLANNABLE = [
  'accounts by balance, next page',
  'accounts by updated at, first page',
  'accounts by ids',
  'dashboard',
];

/** By what is wrong with them. */
const UNPLANNABLE: Readonly<Record<string, readonly string[]>> = {
  'without the right': [
    'INSERT INTO secrets SELECT id FROM tenants',
    'SELECT * FROM secrets JOIN bank_accounts ON tenant_id = secret WHERE tenant_id = $1',
    'DELETE FROM secrets',
  ],
  utility: [
    'VACUUM bank_accounts',
    'CREATE INDEX mine ON bank_accounts (tenant_id, balance)',
    'COPY bank_accounts TO STDOUT',
    'LOCK TABLE bank_accounts',
    'SET search_path = nowhere',
    'DEALLOCATE ALL',
  ],
  'more than one': [
    'SELECT count(*) FROM bank_accounts; SELECT 1',
    'SELECT count(*) FROM bank_accounts; COMMIT; DROP TABLE bank_accounts CASCADE',
    'SELECT count(*) FROM bank_accounts WHERE tenant_id = $1; COMMIT; DROP TABLE tenants CASCADE',
  ],
  'of what is not there': [
    'SELECT * FROM gone WHERE tenant_id = $1',
    'SELECT nowhere FROM bank_accounts WHERE tenant_id = $1',
    'SELECT gone(id) FROM bank_accounts WHERE tenant_id = $1',
    'SELECT 1 FROM bank_accounts, nowhere.transactions',
  ],
  'of other types': [
    "SELECT id FROM bank_accounts WHERE tenant_id = $1 AND $1 = 1 AND balance > 'x'::integer",
    'SELECT id FROM bank_accounts WHERE $1 IS NULL',
    'SELECT id FROM bank_accounts WHERE created_at > $1 AND status = $1',
    'SELECT id FROM bank_accounts WHERE created_at > now() - INTERVAL $1',
    "SELECT id FROM bank_accounts WHERE tenant_id = 'no uuid'",
  ],
  'of an extension': [
    'MATCH (a:bank_accounts) RETURN a',
    "SELECT * FROM cypher('accounts', $$ MATCH (n) RETURN n $$) AS (n agtype)",
    "SELECT create_hypertable('transactions', 'booked_at')",
    'SELECT id FROM bank_accounts ORDER BY name <-> $1',
  ],
};

let database: TestDatabase;
let client: pg.Client;
let plannable: WorkloadStatement[];

beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  for (const [slug, accounts] of [
    ['small', 30],
    ['large', 3_000],
  ] as const) {
    const tenantId = await insertTenant(database.url, { slug });
    await client.query(FILL, [tenantId, accounts]);
  }
  await client.query(`DROP INDEX ${REMOVED.join(', ')}; CREATE TABLE secrets (secret uuid)`);
  await client.query('VACUUM (ANALYZE) tenants, bank_accounts, account_totals, daily_totals');
  const largest = (await sampleTenants(client)).at(-1);
  if (!largest) throw new Error('no tenant has an account');
  const queries = (await productQueries(largest)).filter(({ name }) => PLANNABLE.includes(name));
  plannable = [...new Set(queries.map(({ query }) => query.text))].map(sent);
});
afterAll(async () => {
  await client?.end();
  await database?.drop();
});

describe('statements that cannot be planned', () => {
  it('are listed, each with its reason, and change nothing of the advice on the others', async () => {
    const alone = await adviseIndexes(client, { statements: plannable, source: 'a test' });
    expect(alone.create.map(({ index }) => index.name).sort()).toEqual(REMOVED);
    expect(alone.unplanned).toEqual([]);
    const cut = fc.constantFrom(...plannable).chain(({ sql }) => {
      const places = [...sql.matchAll(/\(/g)].map(({ index }) => index + 1);
      return fc.constantFrom(...places).map((place) => sql.slice(0, place)); // no parenthesis is closed by nothing
    });
    const refused = fc.tuple(fc.subarray(Object.values(UNPLANNABLE).flat(), { minLength: 3 }), fc.array(cut));
    const mixed = refused.chain(([whole, cuts]) => {
      const bad = [...new Set([...whole, ...cuts])].map(sent);
      return fc.tuple(
        fc.constant(bad),
        fc.shuffledSubarray([...bad, ...plannable], { minLength: bad.length + plannable.length }),
      );
    });
    await fc.assert(
      fc.asyncProperty(mixed, async ([bad, statements]) => {
        const { create, drop, unplanned, ...advice } = await adviseIndexes(client, { statements, source: 'a test' });
        expect(byName(create)).toEqual(byName(alone.create));
        expect(drop).toEqual(alone.drop);
        expect(advice.statements).toBe(statements.length);
        expect(unplanned.map(({ name }) => name).sort()).toEqual(bad.map(({ sql }) => shown(sql)).sort());
        for (const { reason } of unplanned) expect(reason).toMatch(/ \(SQLSTATE [0-9A-Z]{5}\)$/);
        expect(await leftBehind()).toEqual({ prepared: 0, temporary: 0, tables: 3, path: '"$user", public' });
      }),
      { numRuns: 5, seed: 20261129 },
    );
  }, 240_000);

  it.each(Object.entries(UNPLANNABLE))('are refused one by one and leave nothing behind: %s', async (_, texts) => {
    for (const sql of texts) {
      const { unplanned } = await adviseIndexes(client, { statements: [sent(sql)], source: 'a test' });
      expect(unplanned).toEqual([
        { name: shown(sql), callsPerDay: 1_000_000, reason: expect.stringMatching(/SQLSTATE/) },
      ]);
    }
    expect(await leftBehind()).toEqual({ prepared: 0, temporary: 0, tables: 3, path: '"$user", public' });
  });

  it('leave nothing of either plan in the transaction, which goes on', async () => {
    await asTenant(client, plannable.length ? '00000000-0000-0000-0000-000000000000' : '', async () => {
      for (const mode of PLAN_MODES) {
        await client.query('SAVEPOINT mine');
        await expect(explain(client, { text: 'SELECT secret FROM secrets', values: [] }, mode)).rejects.toThrow(
          'denied',
        );
        await client.query('ROLLBACK TO mine');
        expect(await explain(client, { text: 'SELECT id FROM bank_accounts', values: [] }, mode)).toBeDefined();
      }
    });
    expect(await leftBehind()).toMatchObject({ prepared: 0 });
  });

  it('are printed and given to programs', async () => {
    const advice = await adviseIndexes(client, { statements: [sent('DELETE\nFROM secrets')], source: 'a test' });
    expect(formatAdvice(advice)).toBe(
      '-- 1 statement of a test; tried with nothing to try.\n' +
        '-- 1 of them cannot be planned; no advice on these:\n' +
        '--   DELETE FROM secrets, 1,000,000 a day: permission denied for table secrets (SQLSTATE 42501)\n' +
        '-- Nothing to create, nothing to drop.',
    );
    expect(adviceAsJson(advice)).toMatchObject({ unplanned: advice.unplanned, statements: 1 });
  });

  it('end the command when it is the connection that failed', async () => {
    const own = new pg.Client({ connectionString: database.url });
    await own.connect();
    own.on('error', () => {});
    const statements = [sent("SELECT id FROM bank_accounts WHERE tenant_id = $1 AND note = 'x'"), ...plannable];
    await own.query("SET statement_timeout = '1ms'");
    await expect(adviseIndexes(own, { statements, source: 'a test' })).rejects.toMatchObject({ code: '57014' });
    await own.end();
  });
});

describe('the workload of pg_stat_statements', () => {
  it('has what a comment or a parenthesis comes before, and what may not be planned', async () => {
    await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
    await client.query('INSERT INTO secrets SELECT id FROM tenants');
    await client.query('-- of an app\n /* a * b */ SELECT slug FROM tenants WHERE name = $1', ['x']);
    await client.query('(SELECT slug FROM tenants) EXCEPT (SELECT name FROM tenants)');
    const workload = await findWorkload(client, undefined);
    const texts = workload.statements.map(({ sql }) => sql);
    expect(texts).toEqual(
      expect.arrayContaining([
        'INSERT INTO secrets SELECT id FROM tenants',
        'SELECT slug FROM tenants WHERE name = $1',
        '(SELECT slug FROM tenants) EXCEPT (SELECT name FROM tenants)',
      ]),
    );
    const { unplanned } = await adviseIndexes(client, workload);
    expect(unplanned).toContainEqual({
      name: 'INSERT INTO secrets SELECT id FROM tenants',
      callsPerDay: expect.any(Number),
      reason: 'permission denied for table secrets (SQLSTATE 42501)',
    });
  });

  it('tells of statements that the login may not see', async () => {
    await client.query('SET ROLE tenantry_app');
    try {
      const found = await readWorkload(client);
      expect(found?.gaps).toEqual([
        expect.stringMatching(
          /^This login does not see [\d,]+ more statements? of this database: GRANT pg_read_all_stats /,
        ),
      ]);
      expect(formatAdvice({ ...NOTHING, gaps: found?.gaps ?? [] })).toContain(`\n-- ${found?.gaps[0]}`);
    } finally {
      await client.query('RESET ROLE');
    }
  });
});

const NOTHING = { create: [], drop: [], unplanned: [], gaps: [], statements: 0, source: 'a test', method: 'x' };

const FILL = `
  INSERT INTO bank_accounts (tenant_id, id, bank_name, account_number, account_type, status, currency, balance, created_at, updated_at)
  SELECT $1, gen_random_uuid(), 'Bank ' || n % 7, 'N' || n, (enum_range(NULL::account_type))[1 + n % 5], 'ACTIVE', 'EUR', n * 7919 % 10007,
    timestamptz '2020-01-01T00:00Z' + n * interval '1 hour', timestamptz '2024-01-01T00:00Z' + n * 7919 % 10007 * interval '1 hour'
  FROM generate_series(1, $2::integer) AS n`;

function sent(sql: string): WorkloadStatement {
  return { sql, meanMs: 1, callsPerDay: 1_000_000 };
}

function shown(sql: string): string {
  return sql.replace(/\s+/g, ' ').trim().slice(0, 80);
}

/** Without what PostgreSQL's counters say of writers, which arrive late. */
function byName<One extends { index: { name: string }; writeMsPerDay: number }>(advice: readonly One[]) {
  const lasting = advice.map(({ writeMsPerDay: _, ...rest }) => rest);
  return lasting.sort((a, b) => (a.index.name < b.index.name ? -1 : 1));
}

async function leftBehind(): Promise<unknown> {
  const { rows } = await client.query(
    `SELECT (SELECT count(*)::integer FROM pg_prepared_statements) AS prepared,
       (SELECT count(*)::integer FROM pg_class WHERE relpersistence = 't' AND pg_table_is_visible(oid)) AS temporary,
       num_nonnulls(to_regclass('public.bank_accounts'), to_regclass('tenants'), to_regclass('secrets')) AS tables,
       current_setting('search_path') AS path`,
  );
  return rows[0];
}
