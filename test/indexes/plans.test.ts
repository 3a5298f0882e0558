import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { INDEX_CATALOG } from '../../src/indexes/catalog.ts';
import { asTenant } from '../../src/indexes/explain.ts';
import { type ExplainedQuery, explainQueries, usesIntendedIndexes } from '../../src/indexes/explain-queries.ts';
import { type ProductQuery, productQueries } from '../../src/indexes/product-queries.ts';
import { sampleTenants, type TenantSample } from '../../src/indexes/samples.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { buffersRead } from './buffers-read.ts';
import { ACCOUNTS, fillSkewed } from './skewed-data.ts';

/**
 * A page of 20 transactions and a look to either side, for each of 20 accounts: 20 * (20 + 2 * 4) pages of the table
 * and of the index. The largest tenant's transactions alone lie on more than 1,000.
 */
const MAX_PAGES_READ = 560;

let database: TestDatabase;
let client: pg.Client;
let explained: readonly ExplainedQuery[];
let largest: TenantSample;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await fillSkewed(client);
  explained = await explainQueries(client);
  largest = (await sampleTenants(client)).at(-1) as TenantSample;
}, 120_000);
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
    expect(
      explained.filter(({ flagged }) => flagged.length).map(({ query, flagged }) => [query.name, flagged]),
    ).toEqual([]);
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

/** Neither a write nor a sum over all rows or over years; nor a filter that no index serves and that may walk far. */
function isBounded({ name, model, readsAll, query }: ProductQuery): boolean {
  return (
    !readsAll &&
    model !== 'Statistics' &&
    model !== 'Dashboard' &&
    query.text.trimStart().startsWith('SELECT') &&
    !/locking|large amounts/.test(name)
  );
}
