import { writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { asTenant, explain, PLAN_MODES } from '../../src/database/explain.ts';
import { createStatement, prismaAttribute } from '../../src/database/index-definition.ts';
import { nodesOf } from '../../src/database/plan.ts';
import { readIndexes } from '../../src/database/read-indexes.ts';
import { MODELS, tablesOf } from '../../src/database/tables.ts';
import { formatAdvice } from '../../src/indexes/advice-report.ts';
import { adviseIndexes, findWorkload } from '../../src/indexes/advise-database.ts';
import { INDEX_CATALOG } from '../../src/indexes/catalog.ts';
import {
  type ExplainedQuery,
  explainQueries,
  isFaulty,
  usesIntendedIndexes,
} from '../../src/indexes/explain-queries.ts';
import { type ProductQuery, productQueries } from '../../src/indexes/product-queries.ts';
import { sampleTenants, type TenantSample } from '../../src/indexes/samples.ts';
import { shapeOf } from '../../src/indexes/shape.ts';
import { findProductQuery, readWorkload, type WorkloadStatement } from '../../src/indexes/workload.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { buffersRead } from './buffers-read.ts';
import { ACCOUNTS, fillSkewed } from './skewed-data.ts';

/**
 * For each of 20 accounts: a page of 20 transactions and one more, each on a page of its own, and
 * three descents of four pages (the page, the cursor's row, a look to the other side). The largest
 * tenant's transactions lie on more than 1,000.
 */
const MAX_PAGES_READ = 20 * (21 + 3 * 4);

/** Of every kind: of one order, of an equal value, of constants, of the largest table. */
const REMOVED = [
  'bank_accounts_tenant_balance_idx',
  'bank_accounts_tenant_inactive_created_idx',
  'bank_accounts_tenant_status_created_idx',
  'bank_accounts_tenant_updated_idx',
  'transactions_tenant_account_booked_idx',
  'transactions_tenant_booked_idx',
  'transactions_tenant_category_booked_idx',
];

const DAY_MS = 86_400_000;

let database: TestDatabase;
let client: pg.Client;
let explained: readonly ExplainedQuery[];
let largest: TenantSample;

// One large database for the plans and for the advice: filling it takes most of the time.
beforeAll(async () => {
  database = await createTestDatabase();
  await connect();
  await fillSkewed(client);
  explained = await explainQueries(client);
  largest = (await sampleTenants(client)).at(-1) as TenantSample;
}, 300_000);
afterEach(async () => {
  await client.end(); // and the temporary copies of indexes:advise
  await connect();
});
afterAll(async () => {
  await client?.end();
  await database?.drop();
});

describe("the plans of the product's queries", () => {
  it('are made for a small and for a large tenant, with values and as the generic plan', () => {
    expect([...new Set(explained.map(({ tenant, mode }) => `${tenant.slug} ${mode}`))]).toHaveLength(4);
    expect(largest.accounts).toBeGreaterThan(ACCOUNTS / 5);
  });

  it('use for the large tenant the index that is meant for each', () => {
    const others = explained.filter((one) => one.tenant.slug === largest.slug && !usesIntendedIndexes(one));
    expect(others.map(({ query, mode, indexes }) => [query.name, mode, query.uses, indexes])).toEqual([]);
  });

  it('read no table from its start, unless the query looks at all rows of the tenant', () => {
    expect(explained.filter(isFaulty).map(({ query, flagged, lacking }) => [query.name, flagged, lacking])).toEqual([]);
    const excused = explained.filter((one) => one.excused.length);
    expect(new Set(excused.map(({ query }) => query.action))).toEqual(new Set(['count']));
  });

  it('read few pages of the large tenant, deep pages included', async () => {
    const reading = (await productQueries(largest)).filter(isBounded);
    expect(reading.length).toBeGreaterThan(70);
    const many: unknown[] = [];
    for (const query of reading) {
      for (const mode of ['custom', 'generic'] as const) {
        const pages = await asTenant(client, largest.tenantId, () => buffersRead(client, query.query, mode));
        if (pages > MAX_PAGES_READ) many.push([query.name, mode, pages]);
      }
    }
    expect(many).toEqual([]);
  });

  it('search the totals kept ready for the days that are shown, of a given date and of today', async () => {
    const sums = (await productQueries(largest)).filter(({ uses }) => uses.includes('daily_totals_pkey'));
    expect(sums.length).toBeGreaterThan(4);
    for (const { name, query } of sums) {
      for (const mode of PLAN_MODES) {
        const plan = await asTenant(client, largest.tenantId, () => explain(client, query, mode));
        const searched = nodesOf(plan).filter((node) => node['Index Name'] === 'daily_totals_pkey');
        const conditions = searched.map((node) => String(node['Index Cond']).match(/\bday [<>]=? /g));
        expect([name, mode, conditions]).toEqual([name, mode, [[expect.any(String), expect.any(String)]]]);
      }
    }
  });

  it('need every index of the catalogue that nothing else keeps', () => {
    const used = new Set(explained.flatMap(({ indexes }) => indexes));
    const idle = INDEX_CATALOG.filter(({ definition, keeps }) => !keeps && !used.has(definition.name));
    expect(idle.map(({ definition }) => definition.name)).toEqual([]);
  });

  it('are of the statements that the catalogue names', () => {
    const actions = new Set(explained.map(({ query }) => `${query.model}.${query.action}`));
    expect(INDEX_CATALOG.flatMap(({ queries }) => queries).filter((name) => !actions.has(name))).toEqual([]);
  });
});

describe('indexes:advise', () => {
  let workload: readonly WorkloadStatement[];

  beforeAll(async () => {
    const reading = (await productQueries(largest)).filter(isRead);
    for (const { query } of reading)
      await asTenant(client, largest.tenantId, () => client.query(query.text, [...query.values]));
    const sent = (await readWorkload(client))?.statements ?? [];
    // As if each of them had been sent all day long: what it saves is worth its writes.
    workload = sent.map(({ sql }) => ({ sql, meanMs: 1, callsPerDay: 1_000_000 }));
  });

  it('reads from pg_stat_statements every query that was sent, and knows it although its constants are gone', async () => {
    const reading = (await productQueries(largest)).filter(isRead);
    const known = new Set(
      workload.flatMap(({ sql }) => findProductQuery(sql, reading) ?? []).map(({ query }) => shapeOf(query.text)),
    );
    expect(reading.filter(({ query }) => !known.has(shapeOf(query.text))).map(({ name }) => name)).toEqual([]);
    // PostgreSQL 15 keeps those of statements that were prepared.
    const hasLostConstants = ({ sql }: WorkloadStatement) =>
      !sql.includes("'") && findProductQuery(sql, reading)?.query.text.includes("'");
    expect(workload.filter(hasLostConstants)).not.toEqual([]);
  });

  it('advises nothing on the healthy schema', async () => {
    const advice = await adviseIndexes(client, { statements: workload, source: 'a test' });
    expect(advice).toMatchObject({ create: [], drop: [] });
    expect(formatAdvice(advice)).toMatch(
      / statements of a test; .*\n(?:-- .*\n)*-- Nothing to create, nothing to drop\.$/,
    );
  });

  it('can plan every query of the product', async () => {
    const { unplanned } = await adviseIndexes(client, { statements: workload, source: 'a test' });
    const names = new Set((await productQueries(largest)).map(({ name }) => name));
    expect(unplanned.filter(({ name }) => names.has(name))).toEqual([]);
  });

  it('finds indexes again that were removed, from the workload alone', async () => {
    const advice = await without(REMOVED, () => adviseIndexes(client, { statements: workload, source: 'a test' }));
    expect(advice.create.map(({ index }) => index.name).sort()).toEqual(REMOVED);
    const text = formatAdvice(advice);
    for (const { definition } of INDEX_CATALOG.filter(({ definition }) => REMOVED.includes(definition.name))) {
      expect(text).toContain(`${createStatement(definition)}\n-- prisma/schema.prisma, `);
      expect(text).toContain(prismaAttribute(definition));
    }
    expect(text).toMatch(
      /newest transactions of each account, 1,000,000 a day: cost tenant-\d+ \d+ -> \d+, tenant-1 \d+ -> \d+/,
    );
  });
});

describe('indexes:advise from what a service has counted', () => {
  it('finds indexes again that were removed', async () => {
    const actions = new Map(explained.map(({ query: { model, action } }) => [`${model}.${action}`, { model, action }]));
    const queries = [...actions.values()].map((one) => ({ ...one, latency: { count: 10_000_000, mean: 1 } }));
    const file = path.join(makeTempFolder(), 'answer.json');
    const since = new Date(Date.now() - DAY_MS);
    writeFileSync(file, JSON.stringify({ data: { performance: { since, queries } } }));
    const advice = await without(REMOVED, async () => adviseIndexes(client, await findWorkload(client, { file })));
    expect(advice.create.map(({ index }) => index.name).sort()).toEqual(REMOVED);
  });
});

/** Gone for as long as `work` runs. */
async function without<Result>(names: readonly string[], work: () => Promise<Result>): Promise<Result> {
  const indexes = await readIndexes(client, tablesOf(MODELS));
  const removed = indexes.filter(({ definition }) => names.includes(definition.name));
  await client.query(`DROP INDEX ${names.join(', ')}`);
  try {
    return await work();
  } finally {
    await client.query('DISCARD TEMP');
    for (const { statement } of removed) await client.query(statement);
  }
}

async function connect(): Promise<void> {
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
}

function isRead({ query }: ProductQuery): boolean {
  return query.text.trimStart().startsWith('SELECT');
}

/**
 * Neither a write nor a sum or a number of many rows; nor a filter that no index serves and that
 * may walk far.
 */
function isBounded(query: ProductQuery): boolean {
  const isSum = query.model === 'Statistics' || query.model === 'Dashboard';
  return isRead(query) && !isSum && query.action !== 'count' && !/locking|large amounts/.test(query.name);
}
