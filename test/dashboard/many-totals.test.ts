import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { fixtureId, insertTenant } from '../support/fixtures.ts';
import { makeKnown } from '../support/known-operation.ts';
import { pointsTaken, RATE_LIMIT } from '../support/points-taken.ts';
import { startService, type TestService } from '../support/service.ts';

/** As graphql/max-sums.ts has it. */
const MAX_SUMS = 10_000;

let service: TestService;
let sql: pg.Client;
let token: string;
let tenantId: string;
let tenants = 0;
beforeAll(async () => {
  service = await startService({ env: { CACHE: 'off' } });
  sql = new pg.Client({ connectionString: service.databaseUrl });
  await sql.connect();
});
beforeEach(async () => {
  const slug = `many-${++tenants}`;
  tenantId = fixtureId('tenant', slug);
  await insertTenant(service.databaseUrl, { slug, timeZone: 'UTC', id: tenantId });
  token = await service.token(Role.VIEWER, slug);
});
afterAll(async () => {
  await sql.end();
  await service.close();
});

const BANK = "'Bank ' || n";

/** Accounts from one number to another; `bank` and `currency` are SQL of `n`. */
async function accounts(from: number, to: number, bank = BANK, currency = "'EUR'"): Promise<void> {
  await sql.query(
    `INSERT INTO bank_accounts (tenant_id, bank_name, account_number, account_type, status, currency)
     SELECT $1, ${bank}, 'A' || n, 'CHECKING', 'ACTIVE', ${currency} FROM generate_series($2::integer, $3) n`,
    [tenantId, from, to],
  );
}

const LETTERS = 'chr(65 + n / 676 % 26) || chr(65 + n / 26 % 26) || chr(65 + n % 26)';

/** One transaction a day, from 2025-12-31 back, in each of so many currencies. */
async function days(count: number, currencies: number): Promise<void> {
  await accounts(1, currencies, BANK, LETTERS);
  await sql.query(
    `INSERT INTO transactions (tenant_id, account_id, booked_at, direction, amount, currency)
     SELECT $1, id, '2025-12-31T12:00:00Z'::timestamptz - day * interval '1 day', 'CREDIT', 1, currency
     FROM bank_accounts, generate_series(0, $2::integer - 1) day WHERE tenant_id = $1`,
    [tenantId, count],
  );
}

async function ask(selection: string) {
  const { data, errors } = await service.send(token, `{ dashboard(date: "2025-12-31") { ${selection} } }`);
  return { dashboard: data?.dashboard, errors };
}

function refusal(message: string) {
  return [expect.objectContaining({ message, extensions: { code: 'QUERY_TOO_COMPLEX', limit: MAX_SUMS } })];
}

/** Of an operation that is known already. */
async function pointsOf(selection: string, code?: string): Promise<number> {
  for (const query of [selection, RATE_LIMIT]) await makeKnown(service, token, query);
  const { points, result } = await pointsTaken(service, token, () => service.send(token, selection));
  expect(result.errors?.[0]?.extensions.code).toBe(code);
  return points;
}

describe('a dashboard of more sums than are told together', () => {
  test('has as many banks as that, and tells of more what to leave out', async () => {
    await accounts(1, MAX_SUMS);
    expect((await ask('accountsByBank { count }')).dashboard.accountsByBank).toHaveLength(MAX_SUMS);
    await accounts(MAX_SUMS + 1, MAX_SUMS + 1);
    const { errors } = await ask('overview { totalAccounts } accountsByBank { count }');
    expect(errors).toEqual(
      refusal(
        "The dashboard's accounts have more than 10000 sums, one for each type, status, bank and currency. Leave out accountsByBank.",
      ),
    );
    const groups = 'key count balances { currency amount }';
    const rest = `overview { totalAccounts activeAccounts balances { amount } } accountsByType { ${groups} } accountsByStatus { ${groups} }`;
    const group = { count: MAX_SUMS + 1, balances: [{ currency: 'EUR', amount: '0.0000' }] };
    expect((await ask(rest)).dashboard).toEqual({
      overview: { totalAccounts: group.count, activeAccounts: group.count, balances: [{ amount: '0.0000' }] },
      accountsByType: [{ key: 'CHECKING', ...group }],
      accountsByStatus: [{ key: 'ACTIVE', ...group }],
    });
  });

  test('refuses more currencies than that, and names where accounts are counted', async () => {
    await accounts(1, MAX_SUMS + 1, "'Bank'", LETTERS);
    expect((await ask('overview { totalAccounts }')).errors).toEqual(
      refusal(
        "The dashboard's accounts have more than 10000 sums, one for each type, status and currency. Count them by accounts and its filter.",
      ),
    );
  });

  test('has as many days and currencies as that, and tells of more to take fewer days', async () => {
    await days(100, MAX_SUMS / 100);
    const activity = 'activity(days: 100) { series { flows { currency } } }';
    expect((await ask(activity)).dashboard.activity.series).toHaveLength(100);
    const twice = `${activity} again: ${activity}`;
    expect((await ask(twice)).errors).toEqual(
      refusal('This answer shows more than 10000 sums, one for each group, day or bucket. Ask for fewer of them.'),
    );
    await sql.query(
      `INSERT INTO transactions (tenant_id, account_id, booked_at, direction, amount, currency)
       SELECT tenant_id, id, '2025-12-31T13:00:00Z', 'DEBIT', 1, currency
       FROM bank_accounts WHERE tenant_id = $1 LIMIT 1`,
      [tenantId],
    );
    expect((await ask(activity)).errors).toBeUndefined(); // the same sum
    await accounts(MAX_SUMS, MAX_SUMS, BANK, "'ZZZ'");
    await sql.query(
      `INSERT INTO transactions (tenant_id, account_id, booked_at, direction, amount, currency)
       SELECT tenant_id, id, '2025-12-31T13:00:00Z', 'DEBIT', 1, currency
       FROM bank_accounts WHERE tenant_id = $1 AND currency = 'ZZZ'`,
      [tenantId],
    );
    expect((await ask(activity)).errors).toEqual(
      refusal("The dashboard's activity has more than 10000 sums, one for each day and currency. Take fewer days."),
    );
    expect((await ask('activity(days: 99) { totals { currency } }')).dashboard.activity.totals).toHaveLength(101);
  });
});

const SUMS_IN_PRICE = 500;

test('a field is not refused for what another one asks for of the same day', async () => {
  await accounts(1, MAX_SUMS + 1);
  const query =
    '{ a: dashboard(date: "2025-12-31") { overview { totalAccounts } } b: dashboard(date: "2025-12-31") { accountsByBank { key } } }';
  expect((await service.send(token, query)).errors).toMatchObject([
    { path: ['b'], extensions: { code: 'QUERY_TOO_COMPLEX' } },
  ]);
});

test('what is refused is charged for all that was added up, and for the sums that were read', async () => {
  const query = '{ dashboard(date: "2025-12-31") { accountsByBank { key } } }';
  const few = await pointsOf(query);
  await accounts(1, 2 * MAX_SUMS);
  expect(await pointsOf(query, 'QUERY_TOO_COMPLEX')).toBe(
    few + (2 * MAX_SUMS - 1_000) * 0.4 + (MAX_SUMS + 1 - SUMS_IN_PRICE) * 6,
  );
});

describe('kept totals beyond those that the price stands for are charged once they are read', () => {
  const OVERVIEW = '{ dashboard { overview { totalAccounts } } }';
  const COUNT = '{ accounts { totalCount } }';

  test.each([
    OVERVIEW,
    COUNT,
    '{ dashboard(date: "2025-12-31") { accountsByType { count } activity { totals { net } } } }',
  ])('%s', async (query) => {
    const few = await pointsOf(query);
    await accounts(1, 1_000);
    expect(await pointsOf(query)).toBe(few);
    await accounts(1_001, 6_000);
    expect(await pointsOf(query)).toBe(few + 5_000 * 0.4);
  });

  test('of days by their categories', async () => {
    const query = '{ dashboard(date: "2025-12-31") { activity(days: 1) { totals { net } } } }';
    await accounts(1, 1);
    const few = await pointsOf(query);
    await sql.query(
      `INSERT INTO transactions (tenant_id, account_id, booked_at, direction, amount, currency, category)
       SELECT tenant_id, id, '2025-12-31T12:00:00Z', 'CREDIT', 1, currency, 'category ' || n
       FROM bank_accounts, generate_series(1, 6000) n WHERE tenant_id = $1`,
      [tenantId],
    );
    expect(await pointsOf(query)).toBe(few + 5_000 * 0.4);
  });
});
