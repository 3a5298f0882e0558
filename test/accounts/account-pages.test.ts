import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import {
  type AccountFieldsFragment,
  type AccountFilter,
  AccountListDocument,
  type AccountOrder,
  AccountsDocument,
} from '../generated/graphql.ts';
import { request } from '../support/client.ts';
import { cursorsOf, expectPage, expectWalks, type PageSource } from '../support/page-walk.ts';
import { plainAccounts } from '../support/plain-sql.ts';
import { startService, type TestService } from '../support/service.ts';
import { EMPTY_TENANT, insertTwins, TWINS, type Twin } from '../support/twin-tenants.ts';

const COLUMNS = {
  CREATED_AT: 'created_at',
  UPDATED_AT: 'updated_at',
  BALANCE: 'balance',
  ACCOUNT_NUMBER: 'account_number',
  BANK_NAME: 'bank_name',
} as const;

const ORDERS: readonly AccountOrder[] = (
  ['CREATED_AT', 'UPDATED_AT', 'BALANCE', 'ACCOUNT_NUMBER', 'BANK_NAME'] as const
).flatMap((field) => (['ASC', 'DESC'] as const).map((direction) => ({ field, direction })));

/** Each filter as the API has it and as SQL has it. */
const FILTERS: readonly (readonly [AccountFilter, string])[] = [
  [{}, 'true'],
  [{ isActive: true, accountType: 'CHECKING' }, "status = 'ACTIVE' AND account_type = 'CHECKING'"],
  [{ isActive: false, currency: 'EUR' }, "status <> 'ACTIVE' AND currency = 'EUR'"],
  [{ minBalance: '-12.5', maxBalance: '100' }, 'balance BETWEEN -12.5 AND 100'],
  [{ bankName: 'alfa', status: 'CLOSED' }, "bank_name = 'alfa' AND status = 'CLOSED'"],
  [{ accountNumber: '0003' }, "account_number = '0003'"],
  [
    { createdFrom: '2024-01-02T13:00:00+01:00', createdTo: '2024-01-05T12:00:00Z' },
    "created_at BETWEEN '2024-01-02 12:00Z' AND '2024-01-05 12:00Z'",
  ],
];

let service: TestService;
let sql: pg.Client;
const tokens = new Map<Twin, string>();
beforeAll(async () => {
  service = await startService();
  await insertTwins(service.databaseUrl);
  sql = new pg.Client({ connectionString: service.databaseUrl });
  await sql.connect();
  for (const twin of [...TWINS, EMPTY_TENANT]) tokens.set(twin, await service.token(Role.VIEWER, twin.slug));
});
afterAll(async () => {
  await sql.end();
  await service.close();
});

const PRAGUE = TWINS[0] as Twin;

function accountsOf(
  twin: Twin,
  variables: { filter?: AccountFilter; orderBy?: AccountOrder } = {},
): PageSource<AccountFieldsFragment> {
  return async (page) =>
    (await request(service, tokens.get(twin) ?? null, AccountsDocument, { ...variables, ...page })).accounts;
}

function rowsOf(twin: Twin, { field, direction }: AccountOrder, where = 'true') {
  return plainAccounts(sql, twin.id, {
    where,
    orderBy: `${COLUMNS[field]} ${direction}, id ${direction}`,
  });
}

describe.each(ORDERS)('accounts by $field $direction', (orderBy) => {
  const twin = TWINS[ORDERS.indexOf(orderBy) % TWINS.length] as Twin;

  test.each(FILTERS)('under %j: every page walked either way is plain SQL’s', async (filter, where) => {
    const rows = await rowsOf(twin, orderBy, where);
    expect(rows.length).toBeGreaterThan(0);
    // Some pages with a shorter one at the end, one that is full, and one that is not.
    const some = Math.ceil(rows.length / 5);
    for (const size of [some, rows.length, 100]) await expectWalks(accountsOf(twin, { filter, orderBy }), rows, size);
  });

  test('numbered pages are the same rows, with count and number of pages', async () => {
    for (const [filter, where] of FILTERS) {
      const rows = await rowsOf(twin, orderBy, where);
      for (const pageSize of [7, 100]) {
        const totalPages = Math.ceil(rows.length / pageSize);
        for (let page = 1; page <= totalPages + 1; page++) {
          const variables = { page, pageSize, filter, orderBy };
          const { accountList } = await request(service, tokens.get(twin) ?? null, AccountListDocument, variables);
          const results = rows.slice((page - 1) * pageSize, page * pageSize);
          expect(accountList).toEqual({ results, count: rows.length, page, pageSize, totalPages });
        }
      }
    }
  });

  test('both bounds together cut exactly, whichever end is asked for', async () => {
    const rows = await rowsOf(twin, orderBy);
    const source = accountsOf(twin, { orderBy });
    const cursors = await cursorsOf(source);
    for (const [from, to] of [
      [0, 35],
      [3, 9],
      [10, 12],
      [33, 35],
    ] as const) {
      const bounds = { after: cursors[from] ?? '', before: cursors[to] ?? '' };
      expectPage(await source({ first: 4, ...bounds }), rows, from + 1, Math.min(from + 5, to));
      expectPage(await source({ last: 4, ...bounds }), rows, Math.max(to - 4, from + 1), to);
    }
  });

  test('a cursor of a row that the filter leaves out still marks its place', async () => {
    const all = await rowsOf(twin, orderBy);
    const matches = ({ bankName }: AccountFieldsFragment) => bankName === 'alfa';
    const place = all.findIndex((row, index) => index > 10 && !matches(row));
    const after = (await cursorsOf(accountsOf(twin, { orderBy })))[place] ?? '';
    const page = await accountsOf(twin, { orderBy, filter: { bankName: 'alfa' } })({ first: 100, after });
    const rows = all.filter(matches);
    expectPage(page, rows, all.slice(0, place).filter(matches).length, rows.length);
  });
});

test('the fixture has equal values in every order', async () => {
  for (const [name, column] of Object.entries(COLUMNS)) {
    const { rows } = await sql.query(
      `SELECT count(*) FROM bank_accounts WHERE tenant_id = $1 GROUP BY ${column} HAVING count(*) > 1`,
      [PRAGUE.id],
    );
    expect([name, rows.length > 0]).toEqual([name, true]);
  }
});

test('without arguments: the first 20, oldest first', async () => {
  expectPage(await accountsOf(PRAGUE)({}), await plainAccounts(sql, PRAGUE.id), 0, 20);
});

test('before alone is the 20 rows that lead up to it', async () => {
  const source = accountsOf(PRAGUE);
  const cursors = await cursorsOf(source);
  expectPage(await source({ before: cursors[30] ?? '' }), await plainAccounts(sql, PRAGUE.id), 10, 30);
});

test('empty pages have no cursors and know what lies on either side', async () => {
  const source = accountsOf(PRAGUE);
  const cursors = await cursorsOf(source);
  const rows = await plainAccounts(sql, PRAGUE.id);
  expectPage(await source({ first: 5, after: cursors.at(-1) ?? '' }), rows, 36, 36);
  expectPage(await source({ last: 5, before: cursors[0] ?? '' }), rows, 0, 0);
  expectPage(await source({ first: 5, after: cursors[4] ?? '', before: cursors[5] ?? '' }), rows, 5, 5);
  expectPage(await accountsOf(PRAGUE, { filter: { bankName: 'none' } })({ first: 5 }), [], 0, 0);
});

test('a tenant without accounts has one empty page and no numbered ones', async () => {
  expectPage(await accountsOf(EMPTY_TENANT)({}), [], 0, 0);
  const { accountList } = await request(service, tokens.get(EMPTY_TENANT) ?? null, AccountListDocument, {});
  expect(accountList).toEqual({ results: [], count: 0, page: 1, pageSize: 20, totalPages: 0 });
});

test('the cursor of a row that was deleted since goes on where it was', async () => {
  const twin = TWINS[2] as Twin;
  const orderBy = { field: 'BALANCE', direction: 'DESC' } as const;
  const cursors = await cursorsOf(accountsOf(twin, { orderBy }));
  const [gone] = (await rowsOf(twin, orderBy)).slice(9, 10);
  await sql.query('DELETE FROM bank_accounts WHERE tenant_id = $1 AND id = $2', [twin.id, gone?.id]);
  await service.untilCaughtUp();
  const rows = await rowsOf(twin, orderBy);
  expect(rows).toHaveLength(35);
  const source = accountsOf(twin, { orderBy, filter: {} });
  expectPage(await source({ first: 3, after: cursors[9] ?? '' }), rows, 9, 12);
  expectPage(await source({ last: 3, before: cursors[9] ?? '' }), rows, 6, 9);
});
