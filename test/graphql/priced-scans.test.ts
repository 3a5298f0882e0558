import 'reflect-metadata';
import fc from 'fast-check';
import { getVariableValues, Kind, parse } from 'graphql';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accountConditions } from '../../src/accounts/account.filter.ts';
import type { AccountFilter, AccountOrderField } from '../../src/accounts/account.input.ts';
import { accountOrder } from '../../src/accounts/account.order.ts';
import { AccountRepository } from '../../src/accounts/account.repository.ts';
import { operationPrice } from '../../src/apollo/operation-price.ts';
import { createSchema } from '../../src/app/schema.ts';
import { DEFAULT_SEARCH_LIMITS } from '../../src/config/search-limits.ts';
import { asTenant, PLAN_MODES, type PlanMode } from '../../src/database/explain.ts';
import { nodesOf, type PlanNode } from '../../src/database/plan.ts';
import { type RecordingDatabase, recordStatements } from '../../src/indexes/record-statements.ts';
import { MAX_PAGE_SIZE, type PageRequest } from '../../src/paging/keyset.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { isOfAccount, transactionConditions } from '../../src/transactions/transaction.filter.ts';
import type { TransactionFilter, TransactionOrder } from '../../src/transactions/transaction.input.ts';
import { transactionOrder } from '../../src/transactions/transaction.order.ts';
import { TransactionRepository } from '../../src/transactions/transaction.repository.ts';
import { literal } from '../indexes/buffers-read.ts';
import { fixtureId, insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

/** One tenant with many accounts, and one whose few accounts have as many transactions each. */
const SIZES = {
  'of-accounts': { accounts: 4_000, perAccount: 0 },
  'of-transactions': { accounts: 10, perAccount: 2_000 },
};
type Slug = keyof typeof SIZES;
/**
 * A page, one row more, and those next to it of the same instant, which the look beyond either end
 * passes over.
 */
const SHOWN_ROWS = MAX_PAGE_SIZE + 1 + 50;
/** Of an amount there are 200, which the look beyond either end may pass over. */
const SHOWN_OF_AMOUNT = MAX_PAGE_SIZE + 1 + 200;
const RUNS = 200;
const LISTED: ReadonlySet<string> = new Set(['bank_accounts', 'transactions']);
/** Less than a day has. */
const COUNTED_ROWS = 500;

/** The first account of each. */
const ACCOUNT_ID = 'c4ca4238-a0b9-2382-0dcc-509a6f75849b';

const ACCOUNTS = `query ($filter: AccountFilter, $order: AccountOrder, $after: String, $before: String) {
  accounts(after: $after, before: $before, filter: $filter, orderBy: $order) { nodes { id } } }`;
const ACCOUNT_LIST = `query ($filter: AccountFilter, $order: AccountOrder, $page: Int!) {
  accountList(page: $page, pageSize: 100, filter: $filter, orderBy: $order) { results { id } } }`;
const TRANSACTIONS = `query ($filter: TransactionFilter, $order: TransactionOrder, $after: String, $before: String) {
  transactions(after: $after, before: $before, filter: $filter, orderBy: $order) { nodes { id } } }`;
const TRANSACTIONS_COUNT = 'query ($filter: TransactionFilter) { transactions(filter: $filter) { totalCount } }';
const OF_ACCOUNT = `query ($filter: TransactionFilter, $order: TransactionOrder, $after: String, $before: String) {
  account(id: "${ACCOUNT_ID}") { transactions(after: $after, before: $before, filter: $filter, orderBy: $order) { nodes { id } } } }`;

const schema = createSchema();
let server: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
  server = await createTestDatabase();
  for (const slug of Object.keys(SIZES)) await insertTenant(server.url, { slug, id: tenantId(slug as Slug) });
  client = new pg.Client(server.url);
  await client.connect();
  for (const [slug, { accounts, perAccount }] of Object.entries(SIZES)) await fill(slug as Slug, accounts, perAccount);
  await client.query('ANALYZE');
}, 60_000);
afterAll(async () => {
  await client?.end();
  await server?.drop();
});

function tenantId(slug: Slug): string {
  return fixtureId('tenant', slug);
}

async function fill(slug: Slug, accounts: number, perAccount: number): Promise<void> {
  await client.query(
    `INSERT INTO bank_accounts (tenant_id, id, bank_name, account_number, account_type, status, currency, balance, created_at, updated_at)
     SELECT $1, md5(n::text)::uuid, 'bank ' || n % 3, n::text, (ARRAY['CHECKING', 'LOAN'])[1 + n % 2]::account_type,
       (ARRAY['ACTIVE', 'FROZEN', 'CLOSED'])[1 + n % 3]::account_status, (ARRAY['EUR', 'USD'])[1 + n % 2], n,
       timestamptz '2024-01-01' + n * interval '1 hour', timestamptz '2025-01-01' + n * interval '1 minute'
     FROM generate_series(1, $2) AS n`,
    [tenantId(slug), accounts],
  );
  await client.query(
    `INSERT INTO transactions (tenant_id, account_id, booked_at, direction, amount, currency, category)
     SELECT tenant_id, id, timestamptz '2024-01-01' + n * interval '10 minutes', (ARRAY['CREDIT', 'DEBIT'])[1 + n % 2]::transaction_direction,
       1 + n % 100, currency, (ARRAY['rent', 'food', NULL])[1 + n % 3]
     FROM bank_accounts, generate_series(1, $2) AS n WHERE tenant_id = $1`,
    [tenantId(slug), perAccount],
  );
}

/**
 * What there is and what there is not, so that every condition is at times the one that nothing
 * satisfies.
 */
const INSTANTS = ['2020-01-01T00:00:00Z', '2024-01-08T00:00:00Z', '2030-01-01T00:00:00Z'];
const some = <Value>(...values: Value[]) => fc.option(fc.constantFrom(...values), { freq: 6 });
const accountFilters = fc.record({
  accountType: some('LOAN', 'SAVINGS'),
  status: some('ACTIVE', 'FROZEN', 'PENDING'),
  isActive: some(true, false),
  bankName: some('bank 1', 'none'),
  accountNumber: fc.option(fc.constantFrom('7', 'none'), { freq: 1 }),
  currency: some('EUR', 'CHF'),
  minBalance: some('0', '9999999'),
  maxBalance: some('-1', '9999999'),
  createdFrom: some(...INSTANTS),
  createdTo: some(...INSTANTS),
  updatedFrom: some(...INSTANTS),
  statusIn: some(['FROZEN'], ['PENDING', 'ACTIVE']),
  bankNameStartsWith: some('bank', 'none'),
  accountNumberIn: some(['7', '9'], ['none']),
  not: some({ status: 'ACTIVE' }, { minBalance: '0' }),
  and: some([{ createdFrom: '2020-01-01T00:00:00Z' }], [{ status: 'FROZEN' }, { status: 'ACTIVE' }]),
  or: some([{ bankName: 'none' }, { accountNumber: 'none' }], [{ currency: 'EUR' }]),
});
const MIDDLES = {
  CREATED_AT: '2024-03-01T00:00:00.000Z',
  UPDATED_AT: '2025-01-02T00:00:00.000Z',
  BALANCE: '2000',
  ACCOUNT_NUMBER: '2000',
  BANK_NAME: 'bank 1',
} as const;
const orders = fc.record({
  field: fc.constantFrom(...(Object.keys(MIDDLES) as (keyof typeof MIDDLES)[])),
  direction: fc.constantFrom('ASC', 'DESC'),
});
const transactionFilters = fc.record({
  accountId: some(ACCOUNT_ID, fixtureId('account', 'none')),
  direction: some('DEBIT'),
  category: some('rent', 'none'),
  minAmount: some('1', '9999999'),
  maxAmount: some('0.5', '9999999'),
  bookedFrom: some(...INSTANTS),
  bookedTo: some(...INSTANTS),
  accountIdIn: some([ACCOUNT_ID], [fixtureId('account', 'none')]),
  categoryIn: some(['rent', 'food'], ['none']),
  hasCategory: some(true, false),
  counterpartyBankStartsWith: some('none'),
  not: some({ category: 'rent' }, { minAmount: '0' }),
  and: some([{ category: 'none' }], [{ category: 'rent' }, { accountId: ACCOUNT_ID }]),
  or: some([{ category: 'none' }, { minAmount: '99999' }], [{ accountId: ACCOUNT_ID }]),
});
const transactionOrders = fc.option(
  fc.record({ field: fc.constantFrom('AMOUNT', 'BOOKED_AT'), direction: fc.constantFrom('ASC', 'DESC') }),
);
/** As few conditions as people give. */
const filtersOf = <Filter extends object>(filters: fc.Arbitrary<Filter>) =>
  fc.tuple(filters, fc.uniqueArray(fc.nat(16), { maxLength: 3 })).map(([filter, kept]) => {
    const given = Object.entries(filter).filter(([, value], index) => value !== null && kept.includes(index));
    return Object.fromEntries(given) as Partial<Filter>;
  });
/**
 * The first page, the last, and those on either side of a row in the middle, which look beyond it
 * too.
 */
const PAGES = ['first', 'last', 'after', 'before'] as const;

function pageOf(kind: (typeof PAGES)[number], middle: string): PageRequest {
  const position = { value: middle, id: fixtureId('middle') };
  return {
    size: MAX_PAGE_SIZE,
    backward: kind === 'last' || kind === 'before',
    after: kind === 'after' ? position : null,
    before: kind === 'before' ? position : null,
    exactEnds: true,
  };
}
const pages = fc.constantFrom(...PAGES);
const cursorsOf = (page: (typeof PAGES)[number]) => (page === 'after' || page === 'before' ? { [page]: 'cursor' } : {});

function middleOf(order: { readonly field: string } | null): string {
  return order?.field === 'AMOUNT' ? '50' : '2024-01-08T00:00:00.000Z';
}

/** Rows that the price stands for, for a tenant of this size. */
function pricedRows(slug: Slug, query: string, variables: Record<string, unknown>): number {
  const document = parse(query);
  const [operation] = document.definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('there is no operation');
  const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
  if (!coerced) throw new Error(JSON.stringify(errors));
  const { accounts, perAccount } = SIZES[slug];
  const rows = {
    accounts,
    transactions: accounts * perAccount,
    ofAccount: perAccount,
    auditLines: 0,
    countedTransactions: Math.min(accounts * perAccount, COUNTED_ROWS),
    countedAuditLines: 0,
    rows: 0,
    countedRows: 0,
    dayTotals: 0,
    usage: 0,
  };
  const { scans } = operationPrice({ schema, document, operation, variables, coerced });
  return scans.reduce(
    (sum, { of, reads, times, upTo = rows[of] }) => sum + times * reads * Math.min(rows[of], upTo),
    0,
  );
}

/** Rows of the listed tables that the only statement of a call reads, whatever becomes of them. */
async function rowsRead(
  slug: Slug,
  mode: PlanMode,
  call: (database: RecordingDatabase['database'], scope: TenantScope) => Promise<unknown>,
): Promise<number> {
  const scope = TenantScope.ofVerifiedCaller(tenantId(slug));
  const [statement] = await recordStatements(scope, ({ database }) => call(database, scope));
  if (!statement) throw new Error('nothing was sent');
  const { text, values } = statement.query;
  const { rows } = await asTenant(client, tenantId(slug), async () => {
    await client.query(`SET LOCAL plan_cache_mode = force_${mode}_plan`);
    await client.query(`PREPARE priced AS ${text}`);
    try {
      return await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
        `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE priced(${values.map(literal).join(', ')})`,
      );
    } finally {
      await client.query('DEALLOCATE priced');
    }
  });
  const scans = nodesOf(rows[0]?.['QUERY PLAN'][0].Plan as PlanNode).filter((node) =>
    LISTED.has(node['Relation Name'] ?? ''),
  );
  const counted = scans as unknown as Record<string, number | undefined>[];
  const readBy = (node: Record<string, number | undefined>) =>
    ((node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0)) * (node['Actual Loops'] ?? 1);
  return counted.reduce((sum, node) => sum + readBy(node), 0);
}

const modes = fc.constantFrom(...PLAN_MODES);

test('accounts: what a page reads is in its price, whatever the filter and the order', async () => {
  const property = fc.asyncProperty(
    filtersOf(accountFilters),
    orders,
    modes,
    pages,
    async (filter, order, mode, page) => {
      const priced = pricedRows('of-accounts', ACCOUNTS, { filter, order, ...cursorsOf(page) });
      const conditions = accountConditions(filter as AccountFilter);
      const keyset = accountOrder(order.field as AccountOrderField, order.direction === 'DESC');
      const read = await rowsRead('of-accounts', mode, (database, scope) =>
        new AccountRepository(database).page(scope, conditions, keyset, pageOf(page, MIDDLES[order.field]), new Set()),
      );
      expect(read).toBeLessThanOrEqual(priced + SHOWN_ROWS);
    },
  );
  await fc.assert(property, { numRuns: RUNS, seed: 1 });
}, 60_000);

test('accounts by number of the page: the rows ahead of it as well', async () => {
  const numbers = fc.constantFrom(1, 2, 7, 30, 1_000);
  const property = fc.asyncProperty(
    filtersOf(accountFilters),
    orders,
    modes,
    numbers,
    async (filter, order, mode, page) => {
      const priced = pricedRows('of-accounts', ACCOUNT_LIST, { filter, order, page });
      const conditions = accountConditions(filter as AccountFilter);
      const keyset = accountOrder(order.field as AccountOrderField, order.direction === 'DESC');
      const asked = { number: page, size: MAX_PAGE_SIZE };
      const read = await rowsRead('of-accounts', mode, (database, scope) =>
        new AccountRepository(database).numberedPage(scope, conditions, keyset, asked, new Set()),
      );
      expect(read).toBeLessThanOrEqual(priced + SHOWN_ROWS);
    },
  );
  await fc.assert(property, { numRuns: RUNS, seed: 2 });
}, 60_000);

test('transactions: what a page reads is in its price, whatever the filter', async () => {
  const asked = [filtersOf(transactionFilters), transactionOrders, modes, pages] as const;
  const property = fc.asyncProperty(...asked, async (filter, order, mode, page) => {
    const priced = pricedRows('of-transactions', TRANSACTIONS, { filter, order, ...cursorsOf(page) });
    const conditions = transactionConditions(filter as TransactionFilter);
    const keyset = transactionOrder(order as TransactionOrder | null, isOfAccount(filter as TransactionFilter));
    const read = await rowsRead('of-transactions', mode, (database, scope) =>
      new TransactionRepository(database).page(scope, conditions, pageOf(page, middleOf(order)), new Set(), keyset),
    );
    expect(read).toBeLessThanOrEqual(priced + (order?.field === 'AMOUNT' ? SHOWN_OF_AMOUNT : SHOWN_ROWS));
  });
  await fc.assert(property, { numRuns: RUNS, seed: 3 });
}, 60_000);

test('transactions in a range: what their number reads beside kept totals is in its price', async () => {
  const instant = fc
    .integer({ min: Date.parse('2023-12-30'), max: Date.parse('2024-01-17') })
    .map((ms) => new Date(ms).toISOString());
  const bounds = fc.record({ bookedFrom: fc.option(instant), bookedTo: fc.option(instant), category: some('rent') });
  const limits = { ...DEFAULT_SEARCH_LIMITS, rows: COUNTED_ROWS };
  const property = fc.asyncProperty(bounds, modes, async (filter, mode) => {
    const priced = pricedRows('of-transactions', TRANSACTIONS_COUNT, { filter });
    const read = await rowsRead('of-transactions', mode, (database, scope) =>
      new TransactionRepository(database, limits).count(scope, filter),
    );
    expect(read).toBeLessThanOrEqual(priced && priced + 1);
  });
  await fc.assert(property, { numRuns: RUNS, seed: 5 });
}, 60_000);

test('transactions of an account: what a page reads is in its price, whatever the filter', async () => {
  const asked = [filtersOf(transactionFilters), transactionOrders, modes, pages] as const;
  const property = fc.asyncProperty(...asked, async (filter, order, mode, page) => {
    const priced = pricedRows('of-transactions', OF_ACCOUNT, { filter, order, ...cursorsOf(page) });
    const conditions = transactionConditions(filter as TransactionFilter);
    const read = await rowsRead('of-transactions', mode, (database, scope) =>
      new TransactionRepository(database).pageOfEach(
        scope,
        [ACCOUNT_ID],
        conditions,
        pageOf(page, middleOf(order)),
        new Set(),
        transactionOrder(order as TransactionOrder | null, true),
      ),
    );
    expect(read).toBeLessThanOrEqual(priced + SHOWN_ROWS);
  });
  await fc.assert(property, { numRuns: RUNS, seed: 4 });
}, 60_000);
