import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import {
  type TransactionFilter,
  TransactionsDocument,
  TransactionsOfAccountsDocument,
  type TransactionsOfAccountsQueryVariables,
} from '../generated/graphql.ts';
import { request } from '../support/client.ts';
import { cursorsOf, expectPage, expectWalks, type PageSource } from '../support/page-walk.ts';
import { type PlainTransaction, plainAccounts, plainTransactions } from '../support/plain-sql.ts';
import { startService, type TestService } from '../support/service.ts';
import {
  ACCOUNTS_PER_TWIN,
  EMPTY_TENANT,
  insertTwins,
  TWINS,
  type Twin,
  twinAccountId,
} from '../support/twin-tenants.ts';

/** Each filter as the API has it and as SQL has it. */
const FILTERS: readonly (readonly [TransactionFilter, string])[] = [
  [{ accountId: twinAccountId(7) }, `account_id = '${twinAccountId(7)}'`],
  [
    { accountId: twinAccountId(7).toUpperCase(), direction: 'CREDIT' },
    `account_id = '${twinAccountId(7)}' AND direction = 'CREDIT'`,
  ],
  [{ category: 'Ärzte', direction: 'DEBIT' }, "category = 'Ärzte' AND direction = 'DEBIT'"],
  [{ category: `o'brien "%_\\" *`, maxAmount: '500' }, `category = 'o''brien "%_\\" *' AND amount <= 500`],
  [{ minAmount: '37.2303', maxAmount: '148.6203' }, 'amount BETWEEN 37.2303 AND 148.6203'],
  // The night in which Prague's summer time begins, both ends included.
  [
    { bookedFrom: '2025-03-29T23:00:00Z', bookedTo: '2025-03-30T22:00:00+00:00' },
    "booked_at BETWEEN '2025-03-29 23:00Z' AND '2025-03-30 22:00Z'",
  ],
  // Eight transactions at each of five instants.
  [
    { bookedFrom: '2024-07-01T00:00:00Z', bookedTo: '2024-07-05T02:00:00.000+02:00' },
    "booked_at BETWEEN '2024-07-01 00:00Z' AND '2024-07-05 00:00Z'",
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

const [PRAGUE, NEW_YORK, LORD_HOWE] = TWINS as [Twin, Twin, Twin];

function transactionsOf(twin: Twin, filter?: TransactionFilter): PageSource<PlainTransaction> {
  return async (page) =>
    (await request(service, tokens.get(twin) ?? null, TransactionsDocument, { ...(filter && { filter }), ...page }))
      .transactions;
}

describe('transactions, newest first', () => {
  test.each(FILTERS)('under %j: every page walked either way is plain SQL’s', async (filter, where) => {
    const rows = await plainTransactions(sql, LORD_HOWE.id, { where });
    expect(rows.length).toBeGreaterThan(3);
    for (const size of [5, 100]) await expectWalks(transactionsOf(LORD_HOWE, filter), rows, size);
  });

  test('without a filter, over all pages of 100', async () => {
    for (const twin of [PRAGUE, EMPTY_TENANT])
      await expectWalks(transactionsOf(twin), await plainTransactions(sql, twin.id), 100);
  });

  test('without arguments: the newest 20', async () => {
    expectPage(await transactionsOf(NEW_YORK)({}), await plainTransactions(sql, NEW_YORK.id), 0, 20);
  });

  test('both bounds together cut exactly, whichever end is asked for', async () => {
    const filter = { bookedFrom: '2024-07-01T00:00:00Z', bookedTo: '2024-07-05T00:00:00Z' };
    const source = transactionsOf(PRAGUE, filter);
    const rows = await plainTransactions(sql, PRAGUE.id, {
      where: "booked_at BETWEEN '2024-07-01 00:00Z' AND '2024-07-05 00:00Z'",
    });
    const cursors = await cursorsOf(source);
    for (const [from, to] of [
      [2, 13],
      [7, 8],
      [30, rows.length - 1],
    ] as const) {
      const bounds = { after: cursors[from] ?? '', before: cursors[to] ?? '' };
      expectPage(await source({ first: 4, ...bounds }), rows, from + 1, Math.min(from + 5, to));
      expectPage(await source({ last: 4, ...bounds }), rows, Math.max(to - 4, from + 1), to);
    }
  });

  test('the cursor of a transaction that was deleted since goes on where it was', async () => {
    const filter = { category: 'salary' };
    const source = transactionsOf(NEW_YORK, filter);
    const before = await plainTransactions(sql, NEW_YORK.id, { where: "category = 'salary'" });
    const cursors = await cursorsOf(source);
    await sql.query('DELETE FROM transactions WHERE tenant_id = $1 AND id = $2', [NEW_YORK.id, before[10]?.id]);
    const rows = await plainTransactions(sql, NEW_YORK.id, { where: "category = 'salary'" });
    expectPage(await source({ first: 4, after: cursors[10] ?? '' }), rows, 10, 14);
    expectPage(await source({ last: 4, before: cursors[10] ?? '' }), rows, 6, 10);
  });
});

describe('the transactions of each account of a list', () => {
  type Variables = Omit<TransactionsOfAccountsQueryVariables, 'accounts'>;

  async function pagesByAccount(twin: Twin, variables: Variables) {
    const token = tokens.get(twin) ?? null;
    const answer = await request(service, token, TransactionsOfAccountsDocument, { accounts: 100, ...variables });
    return new Map(answer.accounts.nodes.map(({ id, transactions }) => [id, transactions]));
  }

  async function rowsOf(twin: Twin, accountId: string, where = 'true') {
    const rows = await plainTransactions(sql, twin.id, { where: `account_id = '${accountId}' AND (${where})` });
    return rows.map(({ account: _, ...row }) => row);
  }

  test.each([
    [{}, 'true'],
    [{ direction: 'DEBIT', minAmount: '100' } as const, "direction = 'DEBIT' AND amount >= 100"],
  ])('under %j: each account has its own first and last page and count', async (filter, where) => {
    const first = await pagesByAccount(PRAGUE, { first: 3, filter });
    const last = await pagesByAccount(PRAGUE, { last: 3, filter });
    expect(first.size).toBe(ACCOUNTS_PER_TWIN);
    for (const { id } of await plainAccounts(sql, PRAGUE.id)) {
      const rows = await rowsOf(PRAGUE, id, where);
      expectPage(at(first, id), rows, 0, Math.min(3, rows.length));
      expectPage(at(last, id), rows, Math.max(0, rows.length - 3), rows.length);
    }
  });

  test('one cursor cuts every account at the same instant', async () => {
    const busiest = await rowsOf(LORD_HOWE, twinAccountId(0));
    const [place, size] = [50, 4];
    // A cursor of the tenant's whole list is one of each account's, too: it is a place in the same
    // order.
    const cursor = (await cursorsOf(transactionsOf(LORD_HOWE, { accountId: twinAccountId(0) })))[place] ?? '';
    const changeFeed = await pagesByAccount(LORD_HOWE, { first: size, after: cursor });
    const preceding = await pagesByAccount(LORD_HOWE, { last: size, before: cursor });
    const mark = busiest[place];
    if (!mark) throw new Error('the fixture has too few transactions');
    for (const { id } of await plainAccounts(sql, LORD_HOWE.id)) {
      const rows = await rowsOf(LORD_HOWE, id);
      const newer = await rowsOf(LORD_HOWE, id, `(booked_at, id) > ('${mark.bookedAt}', '${mark.id}')`);
      const older = await rowsOf(LORD_HOWE, id, `(booked_at, id) < ('${mark.bookedAt}', '${mark.id}')`);
      const from = rows.length - older.length;
      expectPage(at(changeFeed, id), rows, from, Math.min(from + size, rows.length));
      expectPage(at(preceding, id), rows, Math.max(0, newer.length - size), newer.length);
    }
  });
});

function at<Page>(pages: ReadonlyMap<string, Page>, accountId: string): Page {
  const page = pages.get(accountId);
  if (!page) throw new Error(`the answer has no account ${accountId}`);
  return page;
}
