import { afterAll, beforeAll, expect, test } from 'vitest';
import { accountConditions } from '../../src/accounts/account.filter.ts';
import type { AccountFilter } from '../../src/accounts/account.input.ts';
import { AccountRepository } from '../../src/accounts/account.repository.ts';
import { Prisma } from '../../src/generated/prisma/client.ts';
import { AccountStatus, AccountType } from '../../src/generated/prisma/enums.ts';
import { type Count, exactly } from '../../src/paging/bounded-count.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { insertTwins, TWINS, type Twin } from '../support/twin-tenants.ts';

const [{ id: TENANT }] = TWINS as [Twin];
const SCOPE = TenantScope.ofVerifiedCaller(TENANT);

let server: TestDatabase;
let database: TenantDatabase;
let accounts: AccountRepository;
const actions: (string | undefined)[] = [];
beforeAll(async () => {
  server = await createTestDatabase();
  await insertTwins(server.url);
  database = new TenantDatabase({
    url: server.url,
    poolSize: 2,
    statementTimeoutMs: 10_000,
    takeServiceRole: true,
    onStatement: ({ action }) => actions.push(action),
  });
  accounts = new AccountRepository(database);
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

const NAMES = ['accountType', 'status', 'isActive', 'bankName', 'currency'] as const;
const VALUES: Readonly<Record<(typeof NAMES)[number], readonly unknown[]>> = {
  accountType: [undefined, AccountType.CHECKING, AccountType.LOAN],
  status: [undefined, AccountStatus.ACTIVE, AccountStatus.FROZEN],
  isActive: [undefined, null, true, false],
  bankName: [undefined, 'alfa', 'Alfa', 'nobody'],
  currency: [undefined, 'CZK', 'czk'],
};

test('counts from totals are those of the rows, for every combination of what they are kept by', async () => {
  const filters = NAMES.reduce<Record<string, unknown>[]>(
    (some, name) => some.flatMap((filter) => VALUES[name].map((value) => ({ ...filter, [name]: value }))),
    [{}],
  ) as AccountFilter[];
  actions.length = 0;
  for (const filter of filters)
    expect(await accounts.count(SCOPE, filter), JSON.stringify(filter)).toEqual(await counted(filter));
  expect(new Set(actions)).toEqual(new Set(['keptCount', 'plain']));
});

test('other filters are counted by the rows', async () => {
  for (const filter of [{ minBalance: '0' }, { status: AccountStatus.ACTIVE, accountNumber: '1' }]) {
    actions.length = 0;
    expect(await accounts.count(SCOPE, filter)).toEqual(await counted(filter));
    expect(actions).toEqual(['count', 'plain']);
  }
});

async function counted(filter: AccountFilter): Promise<Count> {
  const where = Prisma.join([Prisma.sql`tenant_id = ${TENANT}::uuid`, ...accountConditions(filter)], ' AND ');
  const [row] = await database.select<{ count: number }>(SCOPE, {
    model: 'Test',
    action: 'plain',
    query: Prisma.sql`SELECT count(*)::integer AS count FROM bank_accounts WHERE ${where}`,
  });
  return exactly(row?.count ?? -1);
}
