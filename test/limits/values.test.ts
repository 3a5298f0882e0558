import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { FIRST_DAY, isTimeZone, LAST_DAY, LIMITS } from '../../src/limits.ts';
import {
  type AccountFieldsFragment,
  AccountListDocument,
  type AccountOrder,
  AccountsDocument,
  DashboardDocument,
  DashboardListsDocument,
  StatisticsDocument,
  type StatisticsPeriod,
  TransactionsDocument,
} from '../generated/graphql.ts';
import {
  ACCOUNTS_HEADER,
  csv,
  importFiles,
  reasonsOf,
  TENANTS_HEADER,
  TRANSACTIONS_HEADER,
} from '../import/import-fixture.ts';
import { request } from '../support/client.ts';
import { fixtureId } from '../support/fixtures.ts';
import { expectWalks } from '../support/page-walk.ts';
import { plainAccounts, plainDashboard, plainStatistics, plainTransactions } from '../support/plain-sql.ts';
import { startService, type TestService } from '../support/service.ts';
import { beyond, edgeRows, edgesOf, limitsOf } from './edge-values.ts';

const PERIODS: readonly StatisticsPeriod[] = ['DAILY', 'WEEKLY', 'MONTHLY', 'QUARTERLY', 'YEARLY'];
const ORDERS = {
  CREATED_AT: 'created_at',
  UPDATED_AT: 'updated_at',
  BALANCE: 'balance',
  ACCOUNT_NUMBER: 'account_number',
  BANK_NAME: 'bank_name',
};
const ZONES = edgesOf(LIMITS.tenants.time_zone);

const accountOf = (index: number) => ({
  bank_name: 'Bank',
  account_number: `number ${index}`,
  account_type: 'LOAN',
  status: 'ACTIVE',
  currency: 'EUR',
  balance: '1',
  created_at: '2024-01-01T00:00:00Z',
  updated_at: '2024-01-01T00:00:00Z',
});
const transactionOf = (index: number) => ({
  external_id: `external ${index}`,
  booked_at: '2024-01-01T12:00:00Z',
  direction: index % 2 ? 'CREDIT' : 'DEBIT',
  amount: '1',
  balance_after: '1',
  currency: 'EUR',
  category: 'category',
  counterparty_bank: 'Bank',
  description: 'text',
});

let service: TestService;
let sql: pg.Client;

beforeAll(async () => {
  service = await startService();
  sql = new pg.Client({ connectionString: service.databaseUrl });
  await sql.connect();
  for (const zone of ZONES) await insertTenant(zone);
});
afterAll(async () => {
  await sql.end();
  await service.close();
});

const slugOf = (zone: string) => zone.toLowerCase().replaceAll(/[^a-z0-9]/g, '-');
const tenantOf = (zone: string) => fixtureId('tenant', zone);

async function insert(table: string, row: object): Promise<void> {
  const columns = Object.keys(row).join(', ');
  await sql.query(
    `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM jsonb_populate_record(NULL::${table}, $1)`,
    [JSON.stringify(row)],
  );
}

async function insertTenant(zone: string): Promise<void> {
  const tenant_id = tenantOf(zone);
  await insert('tenants', {
    id: tenant_id,
    slug: slugOf(zone),
    name: zone,
    time_zone: zone,
    created_at: '2024-01-01T00:00:00Z',
  });
  const accounts = edgeRows('bank_accounts', accountOf).map((row, index) => ({
    ...row,
    tenant_id,
    id: fixtureId('account', zone, String(index)),
    version: 1,
  }));
  for (const row of accounts) await insert('bank_accounts', row);
  for (const [index, row] of edgeRows('transactions', transactionOf).entries())
    await insert('transactions', {
      ...row,
      tenant_id,
      id: fixtureId('movement', zone, String(index)),
      account_id: accounts[0]?.id,
    });
}

describe('every account that the database takes is shown', () => {
  const tenantId = tenantOf('UTC');
  let token: string;
  beforeAll(async () => {
    token = await service.token(Role.VIEWER, slugOf('UTC'));
  });

  test('in lists of accounts in every order, walked by cursors either way and by numbers', async () => {
    for (const [field, column] of Object.entries(ORDERS)) {
      for (const direction of ['ASC', 'DESC'] as const) {
        const orderBy = { field, direction } as AccountOrder;
        const rows = await plainAccounts(sql, tenantId, { orderBy: `${column} ${direction}, id ${direction}` });
        expect(rows.length).toBeGreaterThan(25);
        const source = async (page: object) =>
          (await request(service, token, AccountsDocument, { orderBy, ...page })).accounts;
        await expectWalks<AccountFieldsFragment>(source, rows, 7);
        const list = await request(service, token, AccountListDocument, { orderBy, pageSize: 100 });
        expect(list.accountList.results).toEqual(rows);
      }
    }
  });

  test('in lists of accounts filtered by each of its own values', async () => {
    for (const { createdAt, balance, bankName, accountNumber, currency } of await plainAccounts(sql, tenantId)) {
      const filter = {
        createdFrom: createdAt,
        createdTo: createdAt,
        minBalance: balance,
        maxBalance: balance,
        bankName,
        accountNumber,
        currency,
      };
      const { accounts } = await request(service, token, AccountsDocument, { filter, first: 1 });
      expect(accounts.totalCount).toBe(1);
    }
  });
});

describe.each(ZONES)('every transaction that the database takes is shown in %s:', (zone) => {
  const tenantId = tenantOf(zone);
  let token: string;
  beforeAll(async () => {
    token = await service.token(Role.VIEWER, slugOf(zone));
  });

  test('in lists of transactions, walked by cursors either way and filtered by each of its own values', async () => {
    const rows = await plainTransactions(sql, tenantId);
    expect(rows.length).toBeGreaterThan(40);
    const source = async (page: object) => (await request(service, token, TransactionsDocument, page)).transactions;
    await expectWalks<unknown>(source, rows, 9);
    for (const { bookedAt, amount, category, direction } of rows) {
      const filter = {
        bookedFrom: bookedAt,
        bookedTo: bookedAt,
        minAmount: amount,
        maxAmount: amount,
        category,
        direction,
      };
      const { transactions } = await request(service, token, TransactionsDocument, { filter, first: 1 });
      expect(transactions.totalCount).toBeGreaterThan(0);
    }
  });

  test('in dashboards of the first and the last day, and of today', async () => {
    const lists = await request(service, token, DashboardListsDocument, { topAccounts: 100, recentTransactions: 100 });
    expect(lists.dashboard.topAccounts).toHaveLength((await plainAccounts(sql, tenantId)).length);
    expect(lists.dashboard.recentTransactions).toEqual(await plainTransactions(sql, tenantId, { limit: 100 }));
    for (const [date, days] of [
      ['2024-01-02', 366],
      [FIRST_DAY, 1],
      ['0001-01-05', 5],
      ['0100-01-01', 30],
      [LAST_DAY, 366],
    ] as const) {
      const { generatedAt, ...dashboard } = (await request(service, token, DashboardDocument, { date, days }))
        .dashboard;
      expect(dashboard).toEqual(await plainDashboard(sql, tenantId, { date, days }));
      // Where the sun is behind UTC, the first instant is on the first day.
      if (days > 1) expect(dashboard.activity.totals.length).toBeGreaterThan(0);
    }
  });

  test('in dashboards whose days begin before the first day, which they leave out', async () => {
    const ask = async (days: number) =>
      (await request(service, token, DashboardDocument, { date: '0001-01-05', days })).dashboard.activity;
    expect(await ask(366)).toEqual(await ask(5));
  });

  test('in statistics of every period, at both ends of the calendar', async () => {
    for (const period of PERIODS) {
      for (const [from, to] of [
        [FIRST_DAY, '0001-12-31'],
        ['2024-01-01', '2024-12-31'],
        ['9999-01-01', LAST_DAY],
      ] as const) {
        const range = { period, from, to };
        const { generatedAt, ...statistics } = (await request(service, token, StatisticsDocument, range)).statistics;
        expect(statistics).toEqual(await plainStatistics(sql, tenantId, range));
        expect(statistics.totals.length).toBeGreaterThan(0);
      }
      const { statistics } = await request(service, token, StatisticsDocument, { period, to: '0001-01-05' });
      expect(statistics.from).toBe(FIRST_DAY);
    }
  });
});

test('sums of many of the largest amounts are exact', async () => {
  const tenant_id = tenantOf('UTC');
  const day = '3000-01-01';
  await sql.query(
    `INSERT INTO transactions (tenant_id, account_id, direction, amount, currency, booked_at)
     SELECT $1, $2, 'CREDIT', 999999999999999.9999, 'EUR', '${day}T12:00:00Z' FROM generate_series(1, 2000)`,
    [tenant_id, fixtureId('account', 'UTC', '0')],
  );
  const token = await service.token(Role.VIEWER, slugOf('UTC'));
  const { statistics } = await request(service, token, StatisticsDocument, { period: 'DAILY', from: day, to: day });
  expect(statistics.totals).toMatchObject([{ transactionCount: 2000, inflow: '1999999999999999999.8000' }]);
  const { dashboard } = await request(service, token, DashboardDocument, { date: day, days: 1 });
  expect(dashboard.activity.totals).toMatchObject([
    { inflow: '1999999999999999999.8000', net: '1999999999999999999.8000' },
  ]);
});

describe('a value beyond is refused', () => {
  const rowsWith: Record<string, (column: string, value: string) => object> = {
    tenants: (column, value) => ({
      id: fixtureId('new'),
      slug: 'new',
      name: 'New',
      time_zone: 'UTC',
      created_at: '2024-01-01Z',
      [column]: value,
    }),
    bank_accounts: (column, value) => ({
      ...accountOf(-1),
      tenant_id: tenantOf('UTC'),
      id: fixtureId('new'),
      version: 1,
      [column]: value,
    }),
    transactions: (column, value) => ({
      ...{
        ...transactionOf(-1),
        tenant_id: tenantOf('UTC'),
        id: fixtureId('new'),
        account_id: fixtureId('account', 'UTC', '0'),
      },
      [column]: value,
    }),
    idempotency_keys: (column, value) => ({
      tenant_id: tenantOf('UTC'),
      request_hash: '\\x00',
      transaction_ids: [],
      created_at: '2024-01-01Z',
      [column]: value,
    }),
    daily_totals: (column, value) => ({
      ...{
        tenant_id: tenantOf('UTC'),
        day: '1990-01-01',
        currency: 'EUR',
        category: '',
        slot: 0,
        transaction_count: 1,
        inflow: 0,
        outflow: 0,
      },
      [column]: value,
    }),
    folded_totals: (column, value) => ({
      ...{
        tenant_id: tenantOf('UTC'),
        day: '1990-01-01',
        currency: 'EUR',
        category: '',
        transaction_count: 1,
        inflow: 0,
        outflow: 0,
      },
      [column]: value,
    }),
    account_totals: (column, value) => ({
      ...{
        tenant_id: tenantOf('UTC'),
        account_type: 'LOAN',
        status: 'CLOSED',
        bank_name: 'x',
        currency: 'XXX',
        slot: 0,
        account_count: 1,
        balance: 0,
      },
      [column]: value,
    }),
  };
  const columns = Object.keys(LIMITS).flatMap((table) =>
    limitsOf(table as keyof typeof LIMITS).map(([column, limit]) => [table, column, limit] as const),
  );

  test.each(columns)('by SQL: %s.%s', async (table, column, limit) => {
    // What the type itself refuses has no constraint: digits and infinity of numeric(19,4);
    // PostgreSQL names unknown zones itself.
    const refused = { code: expect.stringMatching(/^(23514|22003|22023)$/) };
    for (const value of beyond(limit)) {
      const error = await insert(table, rowsWith[table]?.(column, value) ?? {}).catch(
        (error: pg.DatabaseError) => error,
      );
      expect(error, value).toMatchObject(refused);
      const { code, constraint } = error as pg.DatabaseError;
      if (code === '23514') expect(constraint).toBe(`${table}_${column}_check`);
      else
        expect([value, code]).toEqual([
          expect.stringMatching(/^-?(Infinity|1000000000000000)$|^Europe\/Nowhere$/),
          code,
        ]);
    }
  });

  const KEYED = {
    idempotencyKey: 'key',
    transactions: [{ accountId: fixtureId('account', 'UTC', '0'), direction: 'CREDIT', amount: '1' }],
  };
  const inTransaction = (field: string) => (value: string) => ({
    ...KEYED,
    transactions: [{ ...KEYED.transactions[0], [field]: value }],
  });
  const ACCOUNT = { bankName: 'Bank', accountNumber: 'new', accountType: 'LOAN', currency: 'EUR' };
  const account = (field: string) => (value: string) => ({ ...ACCOUNT, [field]: value });
  const { bank_accounts, transactions, idempotency_keys } = LIMITS;
  const INPUTS = [
    ['createAccount', 'bankName', bank_accounts.bank_name, account('bankName')],
    ['createAccount', 'accountNumber', bank_accounts.account_number, account('accountNumber')],
    ['createAccount', 'currency', bank_accounts.currency, account('currency')],
    ['createAccount', 'openingBalance', bank_accounts.balance, account('openingBalance')],
    [
      'recordTransactions',
      'idempotencyKey',
      idempotency_keys.key,
      (value: string) => ({ ...KEYED, idempotencyKey: value }),
    ],
    ...(
      [
        ['bookedAt', transactions.booked_at],
        ['amount', transactions.amount],
        ['category', transactions.category],
        ['counterpartyBank', transactions.counterparty_bank],
        ['description', transactions.description],
      ] as const
    ).map(([field, limit]) => ['recordTransactions', `transactions[0].${field}`, limit, inTransaction(field)] as const),
  ] as const;

  test.each(INPUTS)(
    'by %s, which names input.%s, what it must be and what came',
    async (mutation, argument, limit, inputOf) => {
      const token = await service.token(Role.ADMIN, slugOf('UTC'));
      const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input!`;
      const ask = (value: string) =>
        service.send(token, `mutation ($input: ${type}) { ${mutation}(input: $input) { userErrors { code } } }`, {
          input: inputOf(value),
        });
      for (const value of beyond(limit)) {
        const { errors } = await ask(value);
        expect(errors, value).toMatchObject([
          { extensions: { code: 'BAD_USER_INPUT', argument: `input.${argument}` } },
        ]);
        expect(errors?.[0]?.message).toContain(`input.${argument} must be `);
        expect(errors?.[0]?.message).toContain(`but got: ${JSON.stringify(value).slice(0, 70)}`);
      }
      // Texts that a person types are trimmed and have no control characters: only those within may
      // be asked for.
      const typed = edgesOf(limit).filter((value) => value.trim() === value && !/\p{Cc}/u.test(value));
      for (const value of typed) expect((await ask(value)).errors, value).toBeUndefined();
    },
  );
});

describe('an import', () => {
  const field = (value: unknown) => `"${String(value).replaceAll('"', '""')}"`;
  const lines = (header: string, rows: readonly object[]) =>
    csv(
      header,
      ...rows.map((row) =>
        header
          .split(',')
          .map((name) => field((row as Record<string, unknown>)[name] ?? ''))
          .join(','),
      ),
    );
  const TENANT = { slug: 'imported', name: 'Imported', time_zone: 'UTC' };
  const OF_ACCOUNT = { tenant_slug: 'imported', bank_name: 'Bank', account_number: 'number 0' };
  const files = ({ tenants = [], accounts = [], transactions = [] }: Record<string, readonly object[]>) => ({
    'tenants.csv': lines(TENANTS_HEADER, [TENANT, ...tenants]),
    'accounts.csv': lines(ACCOUNTS_HEADER, [{ tenant_slug: 'imported', ...accountOf(0) }, ...accounts]),
    'transactions.csv': lines(TRANSACTIONS_HEADER, transactions),
  });
  const inImport = (header: string) => (limited: [string, unknown]) => header.split(',').includes(limited[0]);

  test('takes every value at a limit', async () => {
    const result = await importFiles(
      service.databaseUrl,
      files({
        tenants: edgeRows('tenants', (index) => ({ ...TENANT, slug: `imported-${index}` })),
        accounts: edgeRows('bank_accounts', (index) => ({ tenant_slug: 'imported', ...accountOf(index + 1) })),
        transactions: edgeRows('transactions', (index) => ({ ...transactionOf(index), ...OF_ACCOUNT })),
      }),
    );
    expect(Object.values(result.tables).map(({ rejected }) => rejected)).toEqual([0, 0, 0]);
    expect(result.tables.transactions.inserted).toBeGreaterThan(40);
  });

  test('rejects every value beyond, and names its column', async () => {
    const { tenants, bank_accounts, transactions } = {
      tenants: limitsOf('tenants').filter(inImport(TENANTS_HEADER)),
      bank_accounts: limitsOf('bank_accounts').filter(inImport(ACCOUNTS_HEADER)),
      transactions: limitsOf('transactions').filter(inImport(TRANSACTIONS_HEADER)),
    };
    const broken = (limits: typeof tenants) =>
      limits.flatMap(([column, limit]) =>
        beyond(limit)
          .filter(Boolean)
          .map((value) => [column, { [column]: value }] as const),
      );
    const rows = { tenants: broken(tenants), accounts: broken(bank_accounts), transactions: broken(transactions) };
    const result = await importFiles(
      service.databaseUrl,
      files({
        tenants: rows.tenants.map(([, value], index) => ({ ...TENANT, slug: `beyond-${index}`, ...value })),
        accounts: rows.accounts.map(([, value], index) => ({
          tenant_slug: 'imported',
          ...accountOf(1000 + index),
          ...value,
        })),
        transactions: rows.transactions.map(([, value], index) => ({
          ...transactionOf(1000 + index),
          ...OF_ACCOUNT,
          ...value,
        })),
      }),
    );
    const reasons = Object.values(reasonsOf(result));
    const columns = Object.values(rows)
      .flat()
      .map(([column]) => column);
    expect(columns.length).toBeGreaterThan(60);
    expect(reasons).toHaveLength(columns.length);
    expect(reasons.map((reason) => reason.split(' must be ')[0]).sort()).toEqual(columns.sort());
  });
});

test('the time zones are those of both PostgreSQL and this process by area and location, but offsets, and UTC', async () => {
  const { rows } = await sql.query<{ name: string; fits: boolean }>(
    'SELECT name, name ~ $1 AS fits FROM pg_timezone_names',
    [LIMITS.tenants.time_zone.pattern],
  );
  const isMeant = (name: string) => name === 'UTC' || (/^[A-Z]\w+\/[A-Z]/.test(name) && !/\d/.test(name));
  expect(rows.filter(({ fits }) => fits).length).toBeGreaterThan(400);
  expect(rows.filter(({ name, fits }) => fits !== isMeant(name))).toEqual([]);
  const unknown = rows.filter(({ name, fits }) => fits && !isTimeZone(name));
  expect(unknown.length).toBeLessThan(10);
});
