import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { startService, type TestService } from '../support/service.ts';
import { insertTwins, TWINS, type Twin, twinAccountId } from '../support/twin-tenants.ts';

let service: TestService;
let token: string;
beforeAll(async () => {
  service = await startService({ env: { CACHE: 'off' } });
  await insertTwins(service.databaseUrl);
  token = await service.token(Role.ANALYST, (TWINS[0] as Twin).slug);
});
afterAll(() => service.close());

/** Sends a query that must succeed. @returns its data, and the SQL that it cost */
async function ask(query: string, variables?: object) {
  service.statements.splice(0);
  const { data, errors } = await service.send(token, query, variables);
  expect(errors).toBeUndefined();
  return { data, statements: service.statements.splice(0) };
}

async function statementsOf(query: string, variables?: object): Promise<string[]> {
  const { statements } = await ask(query, variables);
  return statements.map(({ model, action }) => `${model}.${action}`).sort();
}

/** The properties that the SQL reads, without those that paging and grouping add. */
async function columnsOf(query: string, statement: string): Promise<string[]> {
  const { statements } = await ask(query);
  const [found, ...others] = statements.filter(({ model, action }) => `${model}.${action}` === statement);
  expect(others).toEqual([]);
  const names = [...(found?.sql ?? '').matchAll(/ AS "(\w+)"/g)].map(([, name]) => name ?? '');
  return names.filter((name) => name !== 'sortValue' && name !== 'ofAccount').sort();
}

/** The properties of rows that a dashboard's statement reads. */
async function dashboardColumnsOf(query: string): Promise<string[]> {
  const own = new Set(['dayEndsAtMs', 'topAccounts', 'recentTransactions']);
  return (await columnsOf(query, 'Dashboard.parts')).filter((name) => !own.has(name));
}

const ID = twinAccountId(0);
const ACCOUNT_FIELDS =
  'id bankName accountNumber accountType status isActive currency balance version createdAt updatedAt';
const TRANSACTION_FIELDS = 'id bookedAt direction amount currency balanceAfter category counterpartyBank description';

/** The same of a statement that Prisma made, which always reads the tenant of a row. */
async function prismaColumnsOf(query: string, statement: string): Promise<string[]> {
  const { statements } = await ask(query);
  const [found, ...others] = statements.filter(({ model, action }) => `${model}.${action}` === statement);
  expect(others).toEqual([]);
  const [selected = ''] = (found?.sql ?? '').split(' FROM ');
  const columns = [...selected.matchAll(/"bank_accounts"\."(\w+)"/g)].map(([, column]) => column ?? '');
  return columns.filter((column) => column !== 'tenant_id').sort();
}

describe('one statement for what a request asks for several times', () => {
  test.each([
    [
      '{ weekly: statistics(period: WEEKLY) { totals { transactionCount } } monthly: statistics(period: MONTHLY) { buckets { start } } }',
      ['Statistics.sums', 'Tenant.day'],
    ],
    [
      `{ a: statistics(to: "2026-01-31") { totals { transactionCount } } b: statistics(to: "2026-01-31") { totals { transactionCount } } tenant { name } viewer { tenant { slug } } }`,
      ['Statistics.sums', 'Tenant.findFirst'],
    ],
    [
      '{ a: dashboard { overview { totalAccounts } } b: dashboard { activity(days: 7) { totals { net } } } c: dashboard { accountsByBank { key } } }',
      ['Dashboard.parts'],
    ],
    [
      '{ a: dashboard(date: "2026-01-31") { date overview { totalAccounts } } b: dashboard(date: "2026-01-30") { overview { totalAccounts } } }',
      ['Dashboard.parts', 'Dashboard.parts'],
    ],
    [`{ a: account(id: "${ID}") { balance } b: account(id: "${ID}") { balance } }`, ['BankAccount.findFirst']],
    [
      '{ a: accountByNumber(accountNumber: "0") { id } b: accountByNumber(accountNumber: "0") { id } }',
      ['BankAccount.findFirst'],
    ],
  ])('%s', async (query, statements) => {
    expect(await statementsOf(query)).toEqual(statements);
  });

  test('dashboards that are read together are what each is alone', async () => {
    const days = ['date: "2025-12-31"', 'date: "2026-01-31"'];
    const parts = [
      'overview { totalAccounts balances { currency amount } }',
      'accountsByBank { key count }',
      'activity(days: 3) { series { date flows { currency net } } }',
      'activity(days: 40) { totals { currency inflow } }',
      'topAccounts(limit: 2) { id balance }',
      'topAccounts(limit: 4) { bankName } recentTransactions(limit: 3) { id account { currency } }',
    ];
    const fields = days.flatMap((day) => parts.map((part) => `dashboard(${day}) { date ${part} }`));
    const { data: together, statements } = await ask(
      `{ ${fields.map((field, index) => `f${index}: ${field}`).join(' ')} }`,
    );
    expect(statements.map(({ action }) => action)).toEqual(['parts', 'parts']);
    for (const [index, field] of fields.entries()) {
      const { data: alone } = await ask(`{ f: ${field} }`);
      expect(together[`f${index}`]).toEqual(alone.f);
    }
    expect(together.f3.activity.totals.length).toBeGreaterThan(0);
  });

  test.each(['dashboard', 'statistics'])('but a refresh of %s reads anew what another field reads', async (field) => {
    const selected = field === 'dashboard' ? 'overview { totalAccounts }' : 'totals { net }';
    const day = field === 'dashboard' ? 'date' : 'to';
    const args = `${day}: "2026-01-31"`;
    const query = `{ a: ${field}(${args}) { ${selected} } b: ${field}(${args}, refresh: true) { ${selected} } }`;
    expect(await statementsOf(query)).toHaveLength(2);
  });

  test('statistics that are read together are what each is alone', async () => {
    const ranges = [
      'period: DAILY, from: "2025-12-01", to: "2026-01-31"',
      'period: MONTHLY, from: "2025-01-01", to: "2026-01-31"',
      'period: YEARLY, from: "2020-01-01", to: "2026-12-31"',
    ];
    const parts = [
      'totals { currency transactionCount inflow outflow }',
      'buckets { start flows { currency transactionCount net } }',
      'byCategory { category flows { currency inflow } }',
    ];
    const fields = ranges.flatMap((range) => parts.map((part) => `statistics(${range}) { from to ${part} }`));
    const { data: together, statements } = await ask(
      `{ ${fields.map((field, index) => `f${index}: ${field}`).join(' ')} }`,
    );
    expect(statements.map(({ action }) => action)).toEqual(['sums']);
    for (const [index, field] of fields.entries()) {
      const { data: alone } = await ask(`{ f: ${field} }`);
      expect(together[`f${index}`]).toEqual(alone.f);
    }
    expect(together.f3.totals.length).toBeGreaterThan(0);
  });
});

describe('one statement for a level of any list', () => {
  test.each([
    ['{ accounts(first: 50) { nodes { tenant { name } recentTransactions(limit: 5) { id } } } }', ['BankAccount.page']],
    [
      '{ accounts(first: 50) { nodes { recentTransactions(limit: 5) { amount } transactions(first: 2) { nodes { id } } } } }',
      ['BankAccount.page', 'Transaction.pageOfEach'],
    ],
    [
      '{ accounts(first: 50) { edges { node { tenant { name } recentTransactions(limit: 5) { id account { bankName } } } } } }',
      ['BankAccount.byIds', 'BankAccount.page', 'Tenant.findFirst', 'Transaction.recentOfEach'],
    ],
    [
      '{ accounts(first: 50) { nodes { transactions(first: 3) { nodes { id } pageInfo { hasNextPage hasPreviousPage } } } } }',
      ['BankAccount.page', 'Transaction.pageOfEach'],
    ],
    [
      '{ accounts(last: 50) { nodes { transactions(last: 3, filter: { direction: DEBIT }) { totalCount edges { cursor } } } totalCount } }',
      ['BankAccount.keptCount', 'BankAccount.page', 'Transaction.countOfEach', 'Transaction.pageOfEach'],
    ],
    [
      '{ accountList(pageSize: 50) { results { tenant { name } recentTransactions { id } } } }',
      ['BankAccount.numberedPage', 'Tenant.findFirst', 'Transaction.recentOfEach'],
    ],
    [
      '{ transactions(first: 50) { nodes { id account { accountNumber tenant { name } } } } }',
      ['BankAccount.byIds', 'Tenant.findFirst', 'Transaction.page'],
    ],
    [
      '{ transactions(first: 50) { nodes { account { recentTransactions { id } transactions(first: 2) { nodes { account { id } } } } } } }',
      [
        ...['BankAccount.byIds', 'BankAccount.byIds', 'Transaction.page'],
        ...['Transaction.pageOfEach', 'Transaction.recentOfEach'],
      ],
    ],
    [
      `{ account(id: "${ID}") { tenant { name } recentTransactions { id } transactions(first: 5) { totalCount nodes { id account { balance } } } } }`,
      [
        ...['BankAccount.findFirst', 'BankAccount.findFirst', 'Tenant.findFirst'],
        ...['Transaction.countOfEach', 'Transaction.pageOfEach', 'Transaction.recentOfEach'],
      ],
    ],
    [
      '{ accountByNumber(accountNumber: "0001") { tenant { name } recentTransactions { id } } }',
      ['BankAccount.findFirst', 'Tenant.findFirst', 'Transaction.recentOfEach'],
    ],
    [
      '{ viewer { tenant { name } } tenant { slug } accounts { nodes { tenant { timeZone } } } }',
      ['BankAccount.page', 'Tenant.findFirst'],
    ],
    ['{ viewer { id name role } rateLimit { remaining } __typename }', []],
  ])('%s', async (query, statements) => {
    expect(await statementsOf(query)).toEqual(statements);
  });

  test('a dashboard with all its parts costs one statement, whatever is counted up', async () => {
    const query = `{ dashboard(date: "2025-03-31") {
      date generatedAt overview { totalAccounts activeAccounts balances { amount } }
      accountsByType { key balances { amount } } accountsByStatus { count } accountsByBank { key }
      activity(days: 366) { totals { net } series { date flows { inflow } } } week: activity(days: 7) { totals { net } }
      topAccounts { ${ACCOUNT_FIELDS} } long: topAccounts(limit: 50) { id }
      recentTransactions { ${TRANSACTION_FIELDS} account { ${ACCOUNT_FIELDS} } }
    } }`;
    expect(await statementsOf(query)).toEqual(['Dashboard.parts']);
    expect(await statementsOf(query.replace('(date: "2025-03-31")', ''))).toEqual(['Dashboard.parts']);
  });

  test('what hangs on a dashboard’s lists costs one statement for a level', async () => {
    const query = `{ dashboard {
      topAccounts(limit: 50) { tenant { name } recentTransactions(limit: 3) { id } transactions(first: 2) { nodes { id } } }
      recentTransactions(limit: 50) { account { accountNumber } }
    } }`;
    expect(await statementsOf(query)).toEqual([
      ...['Dashboard.parts', 'Tenant.findFirst', 'Transaction.pageOfEach', 'Transaction.recentOfEach'],
    ]);
  });

  test('statistics cost one statement, and one more to know the tenant’s today', async () => {
    const parts = 'totals { net } buckets { start flows { net } } byCategory { category flows { net } }';
    expect(await statementsOf(`{ statistics(period: WEEKLY) { ${parts} } }`)).toEqual([
      ...['Statistics.sums', 'Tenant.day'],
    ]);
    expect(await statementsOf(`{ statistics(from: "2025-01-01", to: "2025-03-31") { ${parts} } }`)).toEqual([
      'Statistics.sums',
    ]);
    expect(await statementsOf('{ statistics(from: "2025-01-01", to: "2025-03-31") { from to } }')).toEqual([]);
  });
});

describe('aliases', () => {
  test('of the same list share a statement, and of different ones do not mix', async () => {
    const { data, statements } = await ask(`{ accounts(first: 30) { nodes {
      a: recentTransactions(limit: 4) { id } b: recentTransactions(limit: 4) { id } c: recentTransactions(limit: 2) { id }
      credits: transactions(first: 3, filter: { direction: CREDIT }) { nodes { direction } }
      debits: transactions(first: 3, filter: { direction: DEBIT }) { nodes { direction } totalCount }
    } } }`);
    expect(statements.map(({ action }) => action).sort()).toEqual([
      ...['countOfEach', 'page', 'pageOfEach', 'pageOfEach'],
    ]);
    expect(data.accounts.nodes).toHaveLength(30);
    const directions = (list: { nodes: { direction: string }[] }) => list.nodes.map(({ direction }) => direction);
    for (const { a, b, c, credits, debits } of data.accounts.nodes) {
      expect(b).toEqual(a);
      expect(c).toEqual(a.slice(0, 2));
      expect(directions(credits)).toEqual(credits.nodes.map(() => 'CREDIT'));
      expect(directions(debits)).toEqual(debits.nodes.map(() => 'DEBIT'));
    }
    expect(data.accounts.nodes.filter(({ a }: { a: object[] }) => a.length === 4).length).toBeGreaterThan(10);
  });

  test('of single accounts share a statement', async () => {
    const query = `{ ${[0, 1, 2, 3].map((n) => `a${n}: account(id: "${twinAccountId(n)}") { id bankName }`).join(' ')} }`;
    const { data, statements } = await ask(query);
    expect(statements.map(({ action, rows }) => [action, rows])).toEqual([['byIds', 4]]);
    expect([0, 1, 2, 3].map((n) => data[`a${n}`].id)).toEqual([0, 1, 2, 3].map(twinAccountId));
  });

  test('of two lists cost a statement each', async () => {
    expect(
      await statementsOf('{ a: accounts(first: 2) { nodes { id } } b: accounts(last: 2) { nodes { id } } }'),
    ).toEqual([...['BankAccount.page', 'BankAccount.page']]);
  });
});

test.each([
  [
    'query ($f: TransactionFilter) { accounts(first: 20) { nodes { id transactions(first: 2, filter: $f) { nodes { id } } } } }',
    ['BankAccount.page', 'Transaction.pageOfEach'],
    [
      {},
      { f: null },
      { f: {} },
      { f: { direction: 'DEBIT' } },
      { f: { minAmount: '1', direction: 'DEBIT', category: null } },
    ],
  ],
  [
    `query ($d: TransactionDirection, $c: String, $n: Int) { accounts(first: 20) { nodes { id
       transactions(filter: { category: $c, direction: $d }, first: $n) { nodes { id account { transactions(last: 1, filter: { direction: $d }) { nodes { id } } } } } } } }`,
    ['BankAccount.byIds', 'BankAccount.page', 'Transaction.pageOfEach', 'Transaction.pageOfEach'],
    [{}, { d: 'DEBIT' }, { c: null, n: 2 }, { n: 3, d: 'CREDIT', c: 'rent' }],
  ],
  [
    'query ($n: Int) { dashboard(date: "2025-03-31") { topAccounts(limit: 3) { recentTransactions(limit: $n) { id } } } }',
    ['Dashboard.parts', 'Transaction.recentOfEach'],
    [{}, { n: 2 }],
  ],
])('however often it is executed, the same statements are sent: %s', async (query, statements, sets) => {
  for (const variables of sets)
    for (let execution = 1; execution <= 4; execution++)
      expect(await statementsOf(query, variables), `execution ${execution}`).toEqual(statements);
});

describe('rows are counted only when the count is selected', () => {
  test.each([
    ['accounts { nodes { id } totalCount @include(if: $counted) }', 'BankAccount.keptCount'],
    ['accountList { results { id } count @include(if: $counted) }', 'BankAccount.keptCount'],
    ['accountList { results { id } totalPages @include(if: $counted) }', 'BankAccount.keptCount'],
    ['transactions { nodes { id } totalCount @include(if: $counted) }', 'Transaction.keptCount'],
    [
      'accounts { nodes { transactions { nodes { id } totalCount @include(if: $counted) } } }',
      'Transaction.countOfEach',
    ],
  ])('%s', async (selection, counting) => {
    const query = `query ($counted: Boolean!) { ${selection} }`;
    const listing = await statementsOf(query, { counted: false });
    expect(listing).not.toContain(counting);
    expect(await statementsOf(query, { counted: true })).toEqual([...listing, counting].sort());
  });
});

describe('only the columns that are selected are read', () => {
  test.each(ACCOUNT_FIELDS.split(' '))('of accounts: %s', async (field) => {
    const columns = [...new Set(['id', field])].sort();
    const list = `accounts(first: 2) { nodes { ${field} } }`;
    expect(await columnsOf(`{ ${list} }`, 'BankAccount.page')).toEqual(columns);
    expect(await dashboardColumnsOf(`{ dashboard { topAccounts { ${field} } } }`)).toEqual(columns);
    const account = `account(id: "${ID}") { ${field} }`;
    const read = columns.map((name) => (name === 'isActive' ? 'status' : name.replace(/[A-Z]/g, (at) => `_${at}`)));
    expect(await prismaColumnsOf(`{ ${account} }`, 'BankAccount.findFirst')).toEqual(
      read.map((name) => name.toLowerCase()).sort(),
    );
  });

  test.each(TRANSACTION_FIELDS.split(' '))('of transactions: %s', async (field) => {
    const columns = [...new Set(['id', field])].sort();
    const list = `transactions(first: 2) { edges { node { ${field} } } }`;
    expect(await columnsOf(`{ ${list} }`, 'Transaction.page')).toEqual(columns);
    expect(await columnsOf(`{ accounts { nodes { ${list} } } }`, 'Transaction.pageOfEach')).toEqual(columns);
    const recent = `recentTransactions(limit: 2) { ${field} }`;
    expect(await columnsOf(`{ accountList { results { ${recent} } } }`, 'Transaction.recentOfEach')).toEqual(columns);
    // Beside the account's id.
    expect(await columnsOf(`{ accounts { nodes { ${recent} } } }`, 'BankAccount.page')).toEqual([field, 'id'].sort());
    expect(await dashboardColumnsOf(`{ dashboard { ${recent} } }`)).toEqual(columns);
  });

  test('through fragments, aliases and directives', async () => {
    const query = `query { accounts { ...List edges { node { n: accountNumber version @skip(if: true) } } } }
      fragment List on BankAccountConnection { nodes { ... on BankAccount { __typename status } ...Money } }
      fragment Money on BankAccount { balance }`;
    expect(await columnsOf(query, 'BankAccount.page')).toEqual(['accountNumber', 'balance', 'id', 'status']);
  });

  test('and the account of a transaction only where it is shown', async () => {
    const nested = '{ transactions { nodes { amount account { balance } } } }';
    expect(await columnsOf(nested, 'Transaction.page')).toEqual(['accountId', 'amount', 'id']);
    expect(await columnsOf(nested, 'BankAccount.byIds')).toEqual(['balance', 'id']);
  });

  test.each([
    ['overview { totalAccounts }', 'account_totals', 'daily_totals'],
    ['activity(days: 7) { totals { net } }', 'daily_totals', 'account_totals'],
  ])('a dashboard’s %s reads %s and not %s', async (part, read, spared) => {
    const { statements } = await ask(`{ dashboard { ${part} } }`);
    expect(statements.map(({ sql }) => sql)).toEqual([expect.stringContaining(read)]);
    expect(statements[0]?.sql).not.toContain(spared);
  });
});

describe('a selection that depends on variables', () => {
  test.each([
    ['a limit', 'query ($n: Int) { accounts { nodes { recentTransactions(limit: $n) { id } } } }', { n: 1 }, { n: 2 }],
    [
      'a limit in a fragment within a fragment',
      `query ($n: Int) { accounts { ...List } } fragment List on BankAccountConnection { nodes { ...Recent } }
        fragment Recent on BankAccount { recentTransactions(limit: $n) { id } }`,
      { n: 1 },
      { n: 2 },
    ],
    [
      'a condition',
      'query ($shown: Boolean!) { accounts { nodes { recentTransactions(limit: 2) @include(if: $shown) { id } } } }',
      { shown: false },
      { shown: true },
    ],
  ])('is looked at anew each time: %s', async (_what, query, less, more) => {
    const counted = async (variables: object) => {
      const { nodes } = (await ask(query, variables)).data.accounts;
      return Math.max(...nodes.map(({ recentTransactions = [] }) => recentTransactions.length));
    };
    const fewer = await counted(less);
    expect(await counted(more)).toBe(fewer + (fewer || 2));
    expect(await counted(less)).toBe(fewer);
    // From the third use on the operation is compiled.
    expect(await counted(more)).toBe(fewer + (fewer || 2));
    expect(await counted(less)).toBe(fewer);
  });
});
