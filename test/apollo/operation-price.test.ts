import { assertEnumType, getVariableValues, isEnumType, Kind, type OperationDefinitionNode, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { OperationCosts } from '../../src/apollo/operation-costs.ts';
import {
  type OperationPrice,
  operationPrice,
  pointsOf as pointsUnder,
  searchedLists,
} from '../../src/apollo/operation-price.ts';
import { createSchema } from '../../src/app/schema.ts';
import { readConfig } from '../../src/config/config.ts';
import { DEFAULT_SEARCH_LIMITS, maxScanPoints } from '../../src/config/search-limits.ts';
import type { TenantSize } from '../../src/tenancy/tenant-sizes.ts';
import { generateOperation } from '../graphql/fuzz/operation-generator.ts';

const SMALL = { accounts: 50, transactions: 1_000, dayTotals: 100, days: 50 };
const LARGE = { accounts: 4_000, transactions: 400_000, dayTotals: 20_000, days: 1_000 };
const HUGE = { accounts: 9, transactions: 10 ** 9, dayTotals: 0, days: 0 };
const GENERATED = 500;
const MAX_SCAN_POINTS = maxScanPoints(DEFAULT_SEARCH_LIMITS);

const pointsOf = (price: OperationPrice, size: TenantSize | undefined) =>
  pointsUnder(price, size, DEFAULT_SEARCH_LIMITS);

const schema = createSchema();

function prepared(text: string, operationName?: string) {
  const document = parse(text);
  const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  const operation = (operations as OperationDefinitionNode[]).find(
    ({ name }) => operationName === undefined || name?.value === operationName,
  );
  if (!operation) throw new Error('the document has no such operation');
  return { document, operation };
}

/** Undefined for variables that do not fit, and what is wrong with arguments. */
function priceWith({ document, operation }: ReturnType<typeof prepared>, variables: Record<string, unknown> = {}) {
  const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
  return coerced && operationPrice({ schema, document, operation, variables, coerced });
}

function price(text: string, variables?: Record<string, unknown>): OperationPrice {
  const found = priceWith(prepared(text), variables);
  if (!found) throw new Error('the variables do not fit');
  return found;
}

const scans = (text: string, variables?: Record<string, unknown>) =>
  price(text, variables).scans.reduce<Record<string, number>>(
    (sums, { of, reads, times }) => Object.assign(sums, { [of]: (sums[of] ?? 0) + reads * times }),
    {},
  );

test('a transfer costs its two transactions, and an invalidation a write', () => {
  const mutation = (text: string) => price(`mutation { ${text} }`).points - 250;
  const order = `fromAccountId: "${'0'.repeat(8)}-0000-7000-8000-000000000000", toAccountId: "x", amount: "1"`;
  const transfer = `transfer(input: { idempotencyKey: "k", ${order} }) { userErrors { code } }`;
  expect(mutation(transfer)).toBe(2_000 + 2 * 100 + 2);
  expect(mutation('invalidateCache(input: {}) { namespaces }')).toBe(2_000 + 1);
});

describe('rows that are read one by one', () => {
  test.each<[string, object]>([
    ['{ transactions { totalCount } accounts { totalCount } }', { dayTotals: 1 }],
    ['{ transactions(filter: { category: "rent", bookedFrom: null }) { totalCount } }', { dayTotals: 1 }],
    [
      '{ transactions(filter: { category: "rent", bookedFrom: "2026-01-01T00:00:00Z" }) { totalCount } }',
      { countedTransactions: 1 },
    ],
    ['{ transactions(filter: { bookedFrom: "x", bookedTo: "x" }) { totalCountIsExact } }', { countedTransactions: 1 }],
    ['{ transactions(filter: { bookedTo: "x", direction: DEBIT }) { totalCount } }', { transactions: 2 }],
    ['{ accounts(filter: { status: ACTIVE, currency: null }) { totalCountIsExact } }', {}],
    ['{ accounts(filter: { accountNumber: "1" }) { totalCount } }', {}],
    ['{ transactions(filter: { direction: DEBIT }) { nodes { id } } }', { transactions: 1 }],
    ['{ transactions(filter: { direction: DEBIT }) { totalCount } }', { transactions: 2 }],
    ['{ transactions(filter: { direction: DEBIT }) { totalCountIsExact } }', { transactions: 2 }],
    ['{ transactions(filter: { category: "rent", bookedFrom: "x", bookedTo: "x" }) { nodes { id } } }', {}],
    ['{ transactions(filter: { accountId: "x", bookedTo: "x" }) { nodes { id } } }', {}],
    ['{ transactions(filter: { category: "rent", direction: DEBIT }) { nodes { id } } }', { transactions: 1 }],
    ['{ transactions(filter: { category: "rent", accountId: "x" }) { nodes { id } } }', { ofAccount: 1 }],
    ['{ transactions(filter: { direction: DEBIT, accountId: "x" }) { nodes { id } } }', { ofAccount: 1 }],
    ['{ account(id: "x") { transactions(filter: { bookedFrom: "x" }) { nodes { id } } } }', {}],
    ['{ account(id: "x") { transactions(filter: { category: "rent" }) { nodes { id } } } }', { ofAccount: 1 }],
    ['{ transactions(filter: { minAmount: "1" }) { nodes { id } } }', { transactions: 1 }],
    ['{ transactions(filter: { maxAmount: "1" }) { nodes { id } totalCount } }', { transactions: 2 }],
    ['{ transactions(filter: { maxAmount: "1", accountId: "x" }) { nodes { id } totalCount } }', { ofAccount: 2 }],
    ['{ accounts(filter: { createdFrom: "2026-01-01T00:00:00Z" }) { totalCount } }', { accounts: 1 }],
    ['{ accountList(filter: { minBalance: "1" }) { totalPages } }', { accounts: 2 }],
    ['{ accountList(filter: { minBalance: "1" }) { countIsExact } }', { accounts: 2 }],
    ['{ accounts(first: 7) { nodes { transactions { totalCount } } } }', { ofAccount: 7 }],
    [
      '{ accounts(first: 7) { edges { node { transactions(filter: { minAmount: "1" }) { totalCount } } } totalCount } }',
      { ofAccount: 14 },
    ],
    ['{ dashboard { topAccounts(limit: 3) { transactions { totalCount } } } }', { ofAccount: 3 }],
    ['{ transactions(after: "x", filter: { direction: DEBIT }) { totalCount } }', { transactions: 3 }],
    ['{ transactions(before: "x", after: "x", filter: { direction: DEBIT }) { totalCount } }', { transactions: 4 }],
    ['{ transactions(after: null, before: "x") { totalCount } }', { dayTotals: 1 }],
    ['{ transactions(orderBy: { field: AMOUNT }) { nodes { id } } }', {}],
    ['{ transactions(filter: { minAmount: "1" }, orderBy: { field: AMOUNT }) { nodes { id } } }', {}],
    ['{ transactions(filter: { category: "x" }, orderBy: { field: AMOUNT }) { nodes { id } } }', { transactions: 1 }],
    ['{ transactions(filter: { accountId: "x" }, orderBy: { field: AMOUNT }) { nodes { id } } }', { ofAccount: 1 }],
    ['{ transactions(filter: { category: "x" }, orderBy: { field: BOOKED_AT }) { nodes { id } } }', {}],
    ['{ account(id: "x") { transactions(orderBy: { field: AMOUNT }) { nodes { id } } } }', { ofAccount: 1 }],
    ['{ transactions(filter: { and: [{ accountId: "x" }, { bookedFrom: "x" }] }) { nodes { id } } }', {}],
    ['{ transactions(filter: { or: [{ accountId: "x" }] }) { nodes { id } } }', { transactions: 1 }],
    ['{ transactions(filter: { accountId: "x", not: { category: "x" } }) { nodes { id } } }', { ofAccount: 1 }],
    ['{ transactions(filter: { hasCategory: false }) { totalCount } }', { transactions: 2 }],
    [
      '{ accounts(filter: { or: [{ status: ACTIVE }, { not: { bankNameIn: ["x"] } }] }) { totalCount } }',
      { accounts: 1 },
    ],
    ['{ accountList(filter: { or: [{ status: ACTIVE }, { minBalance: "1" }] }) { count } }', { accounts: 2 }],
    ['{ auditLog { totalCount } }', { countedAuditLines: 1 }],
    ['{ performance { tenants { slug } } }', { usage: 2 }],
    ['{ performance { operations { name } tables { rows } } }', {}],
    ['{ auditLog(since: "x") { nodes { id } } }', {}],
    ['{ auditLog(who: "x") { nodes { id } } }', { auditLines: 1 }],
    ['{ auditLog(what: "x", since: "x") { totalCount } }', { auditLines: 2 }],
    [
      '{ a: transactions(filter: { minAmount: "1" }) { ...F } } fragment F on TransactionConnection { ... { n: totalCount } }',
      { transactions: 2 },
    ],
    ['{ transactions(filter: { direction: DEBIT }) { totalCount @skip(if: true) nodes { id } } }', { transactions: 1 }],
  ])('%s', (text, expected) => expect(scans(text)).toEqual(expected));

  test('are named as the lists that clients know', () => {
    const searched = (text: string) => searchedLists(price(text));
    expect(searched('{ accounts(filter: { statusIn: [ACTIVE] }) { nodes { transactions { totalCount } } } }')).toEqual([
      'transactions',
      'accounts',
    ]);
    expect(searched('{ transactions { totalCount } accountList(page: 9) { page } }')).toEqual([]);
  });

  test('conditions and filters by variables count as they are given', () => {
    const text = `query ($all: Boolean = false, $filter: TransactionFilter) {
      transactions(filter: $filter) { totalCount @include(if: $all) nodes { id } } }`;
    expect(scans(text, { filter: { direction: 'DEBIT' } })).toEqual({ transactions: 1 });
    expect(scans(text, { filter: { direction: 'DEBIT' }, all: true })).toEqual({ transactions: 2 });
    expect(scans(text, { filter: null, all: true })).toEqual({ dayTotals: 1 });
  });

  test('cost what the size of the tenant makes them, up to what a time limit lets them take', () => {
    const counted = price('{ transactions(filter: { direction: DEBIT }) { totalCount } }');
    const [none, small, large, huge] = [undefined, SMALL, LARGE, HUGE].map((size) => pointsOf(counted, size)) as [
      number,
      number,
      number,
      number,
    ];
    expect(none).toBe(counted.points);
    expect(large - none).toBe(400 * (small - none));
    expect(huge - none).toBe(2 * MAX_SCAN_POINTS);
    const counted2s = pointsUnder(counted, HUGE, { rows: 7, timeoutMs: 2_000 });
    expect(counted2s - none).toBe(4 * MAX_SCAN_POINTS);
    const lines = price('{ auditLog { totalCount } }');
    const [few, many] = [10, 1_010].map((rows) => pointsUnder(lines, SMALL, { rows, timeoutMs: 1_000 }));
    expect((many as number) - (few as number)).toBe(600);
    const ofDays = price('{ transactions(filter: { bookedTo: "x" }) { totalCount } }');
    const ends = [SMALL, LARGE].map((size) => pointsUnder(ofDays, size, { rows: 2_000, timeoutMs: 1_000 }));
    expect(ends.map((cost) => cost - ofDays.points)).toEqual([600 + 40, 1_200 + 8_000]);
    const kept = price('{ transactions { totalCount } }');
    expect([undefined, SMALL, LARGE].map((size) => pointsOf(kept, size) - kept.points)).toEqual([0, 40, 8_000]);
    const days = price('{ statistics(from: "2026-01-01", to: "2026-01-10") { totals { currency } } }');
    expect([undefined, SMALL, LARGE].map((size) => pointsOf(days, size) - days.points)).toEqual([0, 8, 80]);
    const ever = price('{ statistics(period: YEARLY, from: "1970-01-01", to: "2026-01-10") { totals { currency } } }');
    expect([SMALL, LARGE].map((size) => pointsOf(ever, size) - ever.points)).toEqual([40, 8_000]);
    const ofAccounts = price('{ accounts(first: 10) { nodes { transactions { totalCount } } } }');
    expect(pointsOf(ofAccounts, LARGE) - ofAccounts.points).toBe(10 * 60);
  });
});

describe('accounts are found by an index', () => {
  const EVERY_ORDER = assertEnumType(schema.getType('AccountOrderField'))
    .getValues()
    .map(({ name }) => name);
  const FREE: readonly [filter: string, orders: readonly string[]][] = [
    ['', EVERY_ORDER],
    ['accountNumber: "1", minBalance: "1"', EVERY_ORDER],
    ['createdFrom: "x", createdTo: "x"', ['CREATED_AT']],
    ['createdFrom: "x", status: ACTIVE', ['CREATED_AT']],
    ['accountType: LOAN', ['CREATED_AT']],
    ['isActive: false', ['CREATED_AT']],
    ['minBalance: "1", maxBalance: "2", currency: null', ['BALANCE']],
    ['bankName: "x"', ['BANK_NAME']],
    ['accountType: LOAN, status: FROZEN', []],
    ['currency: "EUR"', []],
    ['minBalance: "1", createdTo: "x"', []],
  ];
  test.each(FREE)('with { %s } in these orders alone: %j', (filter, free) => {
    for (const field of EVERY_ORDER) {
      for (const direction of ['', ', direction: DESC']) {
        const found = scans(
          `{ accounts(filter: { ${filter} }, orderBy: { field: ${field}${direction} }) { nodes { id } } }`,
        );
        expect([field, found]).toEqual([field, free.includes(field) ? {} : { accounts: 1 }]);
      }
    }
    const byDefault = free.includes('CREATED_AT') ? {} : { accounts: 1 };
    expect(scans(`{ accountList(filter: { ${filter} }) { results { id } } }`)).toEqual(byDefault);
  });

  test('an order by a variable belongs to what is remembered, where it decides', () => {
    for (const [type, argument, variable] of [
      ['AccountOrder', '$order', (field: string) => ({ field })],
      ['AccountOrderField!', '{ field: $order }', (field: string) => field],
    ] as const) {
      const asked = prepared(
        `query ($order: ${type}, $filter: AccountFilter) { accounts(filter: $filter, orderBy: ${argument}) { nodes { id } } }`,
      );
      const prices = new OperationCosts<OperationPrice>(({ dependsOnTexts }) => dependsOnTexts);
      let reckoned = 0;
      const scanned = (filter: object, field: string) => {
        const given = { order: variable(field), filter };
        const price = prices.of(asked.operation, given, () => {
          reckoned++;
          return priceWith(asked, given);
        });
        return price?.scans.length;
      };
      expect([scanned({}, 'BALANCE'), scanned({}, 'BANK_NAME'), reckoned]).toEqual([0, 0, 1]);
      const byBank = { bankName: 'x' };
      expect(['BANK_NAME', 'BALANCE', 'BANK_NAME'].map((field) => scanned(byBank, field))).toEqual([0, 1, 0]);
    }
  });
});

describe('a page by its number', () => {
  const points = (args: string, accounts: number) =>
    pointsOf(price(`{ accountList(${args}) { results { id } } }`), { ...HUGE, accounts, transactions: 0 });
  const beyondFirst = (args: string, accounts: number) =>
    points(args, accounts) - points(args.replace(/page: \d+/, 'page: 1'), accounts);

  test('costs the rows ahead of it, as many as there are at most', () => {
    expect(beyondFirst('page: 11, pageSize: 100', 1_000_000)).toBe(600);
    expect(beyondFirst('page: 1000000, pageSize: 100', 50)).toBe(30);
    expect(beyondFirst('page: 1000000, pageSize: 100', 10 ** 9)).toBe(MAX_SCAN_POINTS);
    expect(beyondFirst('page: 6', 1_000)).toBe(60);
  });

  test('costs nothing more when all rows are searched', () =>
    expect(beyondFirst('page: 1000, filter: { currency: "EUR" }', 10_000)).toBe(0));

  test('costs so each time', () => {
    const pages = [2, 3, 9].map((page) => `p${page}: accountList(page: ${page}) { results { id } }`);
    const { scans } = price(`{ ${pages.join(' ')} ...F } fragment F on Query { accountList(page: 5) { page } }`);
    expect(scans.map(({ upTo }) => upTo)).toEqual([20, 40, 160, 80]);
  });
});

test('a search with its count and a whole page costs a tenant of any size less than the default limit', () => {
  const { operationCost } = readConfig({}).limits;
  const text = `{ transactions(first: 100, after: "x", filter: { minAmount: "1" }) { totalCount totalCountIsExact pageInfo { endCursor }
    nodes { id bookedAt amount currency direction category description account { id bankName accountNumber balance } } } }`;
  const cost = pointsOf(price(text), { ...HUGE, accounts: 10 ** 6 });
  expect(cost).toBeGreaterThan(2 * MAX_SCAN_POINTS);
  expect(cost).toBeLessThanOrEqual(operationCost);
  const longer = readConfig({ LIMIT_SEARCH_TIMEOUT_MS: '5000' }).limits;
  expect(longer.operationCost).toBe(5 * operationCost);
});

describe('performance', () => {
  const points = (fields: string) => price(`{ performance { ${fields} } }`).points - price('{ tenant { id } }').points;

  test('costs what PostgreSQL takes to tell of its indexes and tables, and Redis of its memory', () => {
    const since = points('since');
    expect(points('since indexes(model: "Transaction") { verdict }') - since).toBeGreaterThan(5_000);
    expect(points('since tables { rows }') - since).toBeGreaterThan(1_000);
    expect(points('since resources { rssBytes }') - since).toBe(251);
  });

  test.each([
    ['operations', 'name', 50],
    ['resolvers', 'coordinate', 50],
    ['queries', 'action', 30],
    ['slowQueries', 'sql', 50],
    ['cache', 'hits', 10],
  ])('costs by the usual length of %s', (list, field, length) => {
    expect(points(`since ${list} { ${field} a: ${field} }`) - points(`since ${list} { ${field} }`)).toBe(length);
  });

  test('of the usage of all tenants by how many there are', () => {
    const asked = price('{ performance { tenants { slug } } }');
    const [none, few, many] = [0, 100, 1_000].map((tenants) =>
      pointsUnder(asked, { ...SMALL, tenants }, DEFAULT_SEARCH_LIMITS),
    );
    expect([none, few, many].map((cost = 0) => cost - asked.points)).toEqual([0, 34_560, 345_600]);
  });
});

describe('statistics', () => {
  const text =
    'query ($from: Date, $to: Date, $period: StatisticsPeriod = DAILY) { statistics(period: $period, from: $from, to: $to) { buckets { start } } }';
  const points = (variables: Record<string, unknown>) => price(text, variables).points;

  test('cost by their buckets, and by the kept totals of their days', () => {
    const size = { ...SMALL, dayTotals: 50_000, days: 1_000 }; // 50 a day, 20 points
    const sized = (variables: Record<string, unknown>) => pointsOf(price(text, variables), size);
    const week = sized({ from: '2026-01-01', to: '2026-01-07' });
    expect(sized({ from: '2026-01-01', to: '2026-01-08' }) - week).toBe(20 + 2);
    expect(sized({ from: '2026-01-01', to: '2026-01-07', period: 'WEEKLY' })).toBe(week - 6 * 2);
    expect(points({ from: '2026-01-01', to: '2026-01-08' }) - points({ from: '2026-01-01', to: '2026-01-07' })).toBe(2);
    expect(points({})).toBe(points({ from: '2026-01-01', to: '2026-01-30' }));
  });

  test.each([{ from: '2026-02-01', to: '2026-01-01' }, { from: 'never' }, { to: '2026-13-01' }])(
    'of no range cost what little it takes to refuse them: %j',
    (range) => expect(points(range)).toBeLessThan(1_000),
  );
});

test('a remembered price is that of the variables, whatever was asked before', () => {
  let compared = 0;
  for (let seed = 1; seed <= GENERATED; seed++) {
    const { document, operationName, variables } = generateOperation(schema, seed);
    const asked = prepared(document, operationName);
    const prices = new OperationCosts<OperationPrice>(({ dependsOnTexts }) => dependsOnTexts);
    for (const given of [...variables, ...variables.map(otherTexts), ...variables.map(otherNames), ...variables]) {
      const fresh = priced(asked, given);
      const remembered = prices.of(asked.operation, given, () => priced(asked, given));
      // Wrong texts are refused by the execution, whatever they cost.
      if (fresh) expect(remembered, `seed ${seed}: ${JSON.stringify(given)}`).toEqual(fresh);
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(GENERATED);
});

function priced(asked: ReturnType<typeof prepared>, variables: Readonly<Record<string, unknown>>) {
  try {
    return priceWith(asked, { ...variables });
  } catch {
    return undefined; // null for an argument that may not be null
  }
}

/** The same form: texts that are days become others, as do all that are no names of enums. */
function otherTexts(variables: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const text = JSON.stringify(variables, (_name, value) => {
    if (typeof value !== 'string') return value;
    if (/^\d{4}-\d{2}-\d{2}$/.test(value)) return `2024${value.slice(4)}`;
    return /^[A-Z_]+$/.test(value) ? value : `${value}0`;
  });
  return JSON.parse(text);
}

/** Of each name in an enum the next one. */
const OTHER_NAMES = new Map(
  Object.values(schema.getTypeMap())
    .filter(isEnumType)
    .map((type) => type.getValues().map(({ name }) => name))
    .flatMap((names) => names.map((name, index) => [name, names[(index + 1) % names.length]] as const)),
);

/** The same form: names in enums become others. */
function otherNames(variables: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const text = JSON.stringify(variables, (_name, value) => OTHER_NAMES.get(value) ?? value);
  return JSON.parse(text);
}
