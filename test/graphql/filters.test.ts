import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AccountFilter } from '../../src/accounts/account.input.ts';
import { Role } from '../../src/auth/caller.ts';
import type { TransactionFilter } from '../../src/transactions/transaction.input.ts';
import { cacheOutcome } from '../support/cache-outcome.ts';
import { insertAccounts, insertTenant, insertTransactions } from '../support/fixtures.ts';
import { startService, type TestService } from '../support/service.ts';
import { until } from '../support/until.ts';
import {
  type ListedAccount,
  type ListedTransaction,
  satisfiesOfAccounts,
  satisfiesOfTransactions,
} from './plain-filter.ts';

const BANKS = ['alfa', 'Alfa', 'al%a', 'al_a', 'beta'];
const CATEGORIES = ['rent', 'Rent', 'ren%', '100% wool', null, null];
const STATUSES = ['ACTIVE', 'FROZEN', 'CLOSED', 'PENDING'] as const;
const TYPES = ['CHECKING', 'LOAN', 'SAVINGS'] as const;
const at = <Value>(values: readonly Value[], index: number) => values[index % values.length] as Value;
const day = (index: number) => new Date(Date.parse('2025-01-01T00:00:00Z') + index * 86_400_000).toISOString();

let service: TestService;
let token: string;
let tenantId: string;
let accounts: ListedAccount[];
let transactions: ListedTransaction[];
beforeAll(async () => {
  const plenty = { LIMIT_POINTS_PER_MINUTE: '1000000000', LIMIT_TENANT_POINTS_PER_MINUTE: '1000000000' };
  service = await startService({ env: plenty });
  tenantId = await insertTenant(service.databaseUrl, { slug: 'filters' });
  const opened = Array.from({ length: 30 }, (_, n) => ({
    accountNumber: `${n % 3}${n}`,
    bankName: at(BANKS, n),
    accountType: at(TYPES, n),
    status: at(STATUSES, n % 7),
    currency: at(['EUR', 'USD'], n % 5),
    balance: `${(n % 6) * 10}.0000`,
    createdAt: day(n % 9),
    updatedAt: day((n * 5) % 11),
  }));
  const ids = await insertAccounts(service.databaseUrl, tenantId, opened);
  accounts = opened.map((account, n) => ({ ...account, id: at(ids, n) }));
  const booked = Array.from({ length: 60 }, (_, n) => ({
    accountId: at(ids, n % 4),
    bookedAt: day(n % 8),
    direction: at(['CREDIT', 'DEBIT', 'DEBIT'] as const, n),
    amount: `${1 + (n % 7)}.5000`,
    category: at(CATEGORIES, n),
    counterpartyBank: at([...BANKS, null], n),
    description: at(['rent of May', 'Rent', null, '%'], n),
  }));
  const recorded = await insertTransactions(service.databaseUrl, tenantId, booked);
  transactions = booked.map((transaction, n) => ({
    ...transaction,
    id: at(recorded, n),
    currency: at(['EUR', 'USD'], (n % 4) % 5),
  }));
  token = await service.token(Role.VIEWER, 'filters');
});
afterAll(() => service.close());

/** Fields that are given, a few of them, some as null. */
function leafOf<Filter extends object>(fields: { [Name in keyof Filter]: fc.Arbitrary<Filter[Name] | null> }) {
  const names = Object.keys(fields) as (keyof Filter)[];
  return fc
    .uniqueArray(fc.constantFrom(...names), { maxLength: 2 })
    .chain((some) => fc.record(Object.fromEntries(some.map((name) => [name, fields[name]]))) as fc.Arbitrary<Filter>);
}

/** So that two of them are within the limits together. */
function isSmall(filter: object): boolean {
  return JSON.stringify(filter).split(':').length < 14;
}

/** Of a depth, with at most two in a list. */
function nested<Filter extends object>(leaf: fc.Arbitrary<Filter>, depth: number): fc.Arbitrary<Filter> {
  if (depth === 0) return leaf;
  const below = nested(leaf, depth - 1);
  const list = fc.array(below, { maxLength: 2 });
  const parts = fc.record({ not: fc.option(below), and: fc.option(list), or: fc.option(list) }, { requiredKeys: [] });
  return fc.oneof(
    { weight: 2, arbitrary: leaf },
    { weight: 3, arbitrary: fc.tuple(leaf, parts).map(([own, more]) => ({ ...own, ...more })) },
    { weight: 1, arbitrary: below.map((not) => ({ not })) as unknown as fc.Arbitrary<Filter> },
  );
}

const oneOf = <Value>(...values: Value[]) => fc.option(fc.constantFrom(...values), { freq: 12 });
const someOf = <Value>(...values: Value[]) =>
  fc.option(fc.array(fc.constantFrom(...values), { maxLength: 3 }), { freq: 12 });
const instants = oneOf(day(2), day(4), day(7));
const starts = oneOf('', 'al', 'Al', 'al%', 'al_', 'ren', 'R', '%', '1', '100%', 'none');
const accountFilter = leafOf<AccountFilter>({
  accountType: oneOf(...TYPES),
  accountTypeIn: someOf(...TYPES),
  status: oneOf(...STATUSES),
  statusIn: someOf(...STATUSES),
  isActive: oneOf(true, false),
  bankName: oneOf(...BANKS),
  bankNameIn: someOf(...BANKS, 'none'),
  bankNameStartsWith: starts,
  accountNumber: oneOf('00', '11', 'none'),
  accountNumberIn: someOf('00', '11', '22', 'none'),
  accountNumberStartsWith: starts,
  currency: oneOf('EUR', 'USD', 'CHF'),
  currencyIn: someOf('EUR', 'USD', 'CHF'),
  minBalance: oneOf('10', '30.0', '500'),
  maxBalance: oneOf('10', '30', '-1'),
  createdFrom: instants,
  createdTo: instants,
  updatedFrom: instants,
  updatedTo: instants,
  not: fc.constant(null),
  and: fc.constant(null),
  or: fc.constant(null),
});
const transactionFilter = fc.constant(null).chain(() =>
  leafOf<TransactionFilter>({
    accountId: oneOf(accounts[0]?.id ?? '', accounts[1]?.id ?? ''),
    accountIdIn: someOf(accounts[0]?.id ?? '', accounts[3]?.id ?? ''),
    direction: oneOf('CREDIT', 'DEBIT'),
    directionIn: someOf('CREDIT', 'DEBIT'),
    category: oneOf('rent', 'ren%', 'none'),
    categoryIn: someOf('rent', 'Rent', 'ren%', 'none'),
    categoryStartsWith: starts,
    hasCategory: oneOf(true, false),
    currency: oneOf('EUR', 'USD'),
    currencyIn: someOf('EUR', 'USD', 'CHF'),
    counterpartyBank: oneOf(...BANKS),
    counterpartyBankIn: someOf(...BANKS),
    counterpartyBankStartsWith: starts,
    descriptionStartsWith: starts,
    minAmount: oneOf('2.5', '4', '100'),
    maxAmount: oneOf('2.5', '4', '0.5'),
    bookedFrom: instants,
    bookedTo: instants,
    not: fc.constant(null),
    and: fc.constant(null),
    or: fc.constant(null),
  }),
);
const nestedTransactionFilter = fc.constant(null).chain(() => nested(transactionFilter, 2));

interface Listed {
  readonly nodes: readonly { readonly id: string }[];
  readonly totalCount: number;
}
const LISTS = ['all', 'f', 'notF', 'both', 'either'] as const;
type Lists = Record<(typeof LISTS)[number], Listed>;

/** Asked twice: the second time it comes from the cache. */
async function lists(list: string, type: string, f: object, g: object): Promise<Lists> {
  const aliases = ['all', 'f', 'notF', 'both', 'either'].map(
    (alias) => `${alias}: ${list}(first: 100, filter: $${alias}) { nodes { id } totalCount }`,
  );
  const query = `query (${LISTS.map((alias) => `$${alias}: ${type}`).join(', ')}) { ${aliases.join(' ')} }`;
  const variables = { all: null, f, notF: { not: f }, both: { and: [f, g] }, either: { or: [f, g] } };
  const first = await service.send(token, query, variables);
  expect(first.errors).toBeUndefined();
  let again = first;
  // A cache that is not trusted for a moment, on a busy machine, is passed by.
  await until(async () => {
    again = await service.send(token, query, variables);
    return cacheOutcome(again.headers.get('cache-status')) === 'tenantry; hit';
  });
  expect([again.data, again.errors]).toEqual([first.data, first.errors]);
  return first.data as Lists;
}

async function expectAlgebra<Row extends { readonly id: string }, Filter extends object>(
  list: string,
  type: string,
  { rows, f, g, satisfies }: { rows: Row[]; f: Filter; g: Filter; satisfies: (row: Row, filter: Filter) => boolean },
): Promise<void> {
  const answer = await lists(list, type, f, g);
  const idsOf = (which: (row: Row) => boolean) => rows.filter(which).map(({ id }) => id);
  const expected = {
    all: idsOf(() => true),
    f: idsOf((row) => satisfies(row, f)),
    notF: idsOf((row) => !satisfies(row, f)),
    both: idsOf((row) => satisfies(row, f) && satisfies(row, g)),
    either: idsOf((row) => satisfies(row, f) || satisfies(row, g)),
  };
  for (const name of LISTS) {
    const { nodes, totalCount } = answer[name];
    expect(nodes.map(({ id }) => id).sort(), name).toEqual(expected[name].sort());
    expect(totalCount, name).toBe(expected[name].length);
  }
}

describe('a filter, its complement, and two joined list what plain JavaScript picks', () => {
  test('accounts', async () => {
    const filters = nested(accountFilter, 2).filter(isSmall);
    const property = fc.asyncProperty(filters, filters, (f, g) =>
      expectAlgebra('accounts', 'AccountFilter', { rows: accounts, f, g, satisfies: satisfiesOfAccounts }),
    );
    await fc.assert(property, { numRuns: 60, seed: 15, endOnFailure: true });
  }, 30_000);

  test('transactions', async () => {
    const filters = nestedTransactionFilter.filter(isSmall);
    const property = fc.asyncProperty(filters, filters, (f, g) =>
      expectAlgebra('transactions', 'TransactionFilter', {
        ...{ rows: transactions, f, g },
        satisfies: satisfiesOfTransactions,
      }),
    );
    await fc.assert(property, { numRuns: 80, seed: 15, endOnFailure: true });
  }, 30_000);

  test('the complement of a category has what has none', async () => {
    const { data } = await service.send(
      token,
      '{ transactions(first: 100, filter: { not: { category: "rent" } }) { nodes { category } } }',
    );
    expect(data.transactions.nodes).toHaveLength(transactions.filter(({ category }) => category !== 'rent').length);
    expect(data.transactions.nodes).toContainEqual({ category: null });
  });
});

describe('orders of transactions', () => {
  const ORDERS = ['BOOKED_AT', 'AMOUNT'].flatMap((field) => ['ASC', 'DESC'].map((direction) => [field, direction]));
  const OF_TENANT =
    'query ($order: TransactionOrder, $after: String) { list: transactions(first: 30, after: $after, orderBy: $order) { PAGE } }';
  const OF_ACCOUNT =
    'query ($order: TransactionOrder, $after: String, $id: ID!) { account(id: $id) { list: transactions(first: 30, after: $after, orderBy: $order) { PAGE } } }';
  const PAGE = 'nodes { id } totalCount pageInfo { endCursor hasNextPage }';

  const page = async (query: string, variables: object) => {
    const { data, errors } = await service.send(token, query.replace('PAGE', PAGE), variables);
    return { list: data?.list ?? data?.account?.list, errors };
  };

  test.each(ORDERS)('%s %s: pages walk through all, of the tenant and of an account', async (field, direction) => {
    const order = { field, direction };
    const [id = ''] = accounts.map(({ id }) => id);
    const keyOf = (row: ListedTransaction) => (field === 'AMOUNT' ? row.amount : row.bookedAt);
    const sorted = [...transactions].sort((a, b) => compare(keyOf(a), keyOf(b)) || compare(a.id, b.id));
    if (direction === 'DESC') sorted.reverse();
    for (const [query, expected] of [
      [OF_TENANT, sorted],
      [OF_ACCOUNT, sorted.filter(({ accountId }) => accountId === id)],
    ] as const) {
      const walked: string[] = [];
      for (let after: string | null = null; ; ) {
        const { list, errors } = await page(query, { order, after, ...(query === OF_ACCOUNT && { id }) });
        expect(errors).toBeUndefined();
        expect(list.totalCount).toBe(expected.length);
        walked.push(...list.nodes.map((node: { id: string }) => node.id));
        if (!list.pageInfo.hasNextPage) break;
        after = list.pageInfo.endCursor;
      }
      expect(walked).toEqual(expected.map((row) => row.id));
    }
  });

  test('without a direction they begin with the newest and the largest', async () => {
    const { list } = await page(OF_TENANT, { order: { field: 'AMOUNT' } });
    const { list: largest } = await page(OF_TENANT, { order: { field: 'AMOUNT', direction: 'DESC' } });
    expect(list.nodes).toEqual(largest.nodes);
  });

  test('a cursor of another order is refused, naming the argument', async () => {
    const { list } = await page(OF_TENANT, { order: { field: 'AMOUNT' } });
    const after = list.pageInfo.endCursor;
    for (const order of [null, { field: 'AMOUNT', direction: 'ASC' }, { field: 'BOOKED_AT' }]) {
      const { errors } = await page(OF_TENANT, { order, after });
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', argument: 'after' } }]);
    }
  });
});

describe('filters beyond their limits are refused, naming the place, the limit and what came', () => {
  const many = (count: number, filter: object = { currency: 'EUR' }) => Array.from({ length: count }, () => filter);
  test.each<[object, string, string]>([
    [
      { or: [{}, { not: { and: [{ not: {} }] } }] },
      'filter.or[1].not.and[0].not',
      'filter.or[1].not.and[0].not must be within 3 levels of not, and and or, but got: "4 levels".',
    ],
    [
      { and: many(16) },
      'filter',
      'filter must be of at most 30 conditions, each nested filter counted as one more, but got: 32.',
    ],
    [
      { currencyIn: Array(101).fill('EUR') },
      'filter.currencyIn',
      'filter.currencyIn must be at most 100 values, but got: 101.',
    ],
    [
      { or: [{ currencyIn: ['EUR', 'a\0'] }] },
      'filter.or[0].currencyIn[1]',
      'filter.or[0].currencyIn[1] must be text without null characters and halves of characters, but got: "a\\u0000".',
    ],
  ])('%j', async (filter, argument, message) => {
    for (const [list, type] of [
      ['accounts', 'AccountFilter'],
      ['transactions', 'TransactionFilter'],
    ]) {
      const query = `query ($filter: ${type}) { ${list}(filter: $filter) { nodes { id } } }`;
      const { errors } = await service.send(token, query, { filter });
      expect(errors).toMatchObject([{ message, extensions: { code: 'BAD_USER_INPUT', argument } }]);
    }
  });

  test('what is at the limits is answered', async () => {
    const query = 'query ($filter: AccountFilter) { accounts(filter: $filter) { totalCount } }';
    for (const filter of [
      { not: { not: { not: { currency: 'EUR' } } } },
      { and: many(15) },
      { currencyIn: Array(100).fill('EUR') },
    ])
      expect((await service.send(token, query, { filter })).errors).toBeUndefined();
  });

  test('filters nested without end are refused, and the stack does not overflow', async () => {
    const query = 'query ($filter: AccountFilter) { accounts(filter: $filter) { totalCount } }';
    for (const levels of [5, 400, 600, 19_000]) {
      const filter = `${'{"not":'.repeat(levels)}{}${'}'.repeat(levels)}`;
      const answer = await fetch(`${service.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: `{"query":${JSON.stringify(query)},"variables":{"filter":${filter}}}`,
      });
      const { errors } = (await answer.json()) as { errors: { extensions: { code: string } }[] };
      expect(errors, `${levels}`).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    }
  });
});

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
