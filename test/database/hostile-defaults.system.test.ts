import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { openCommandDatabase } from '../../src/commands/command-database.ts';
import { readIndexes } from '../../src/database/read-indexes.ts';
import { MODELS, tablesOf } from '../../src/database/tables.ts';
import { importFolder } from '../../src/import/import-folder.ts';
import { explainQueries, isFaulty } from '../../src/indexes/explain-queries.ts';
import { sampleTenants } from '../../src/indexes/samples.ts';
import { seedDatabase } from '../../src/seed/seed-database.ts';
import { planTenants } from '../../src/seed/tenant-plan.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { makeFolder, TWO_TENANTS } from '../import/import-fixture.ts';
import { HOSTILE } from '../support/hostile-defaults.ts';
import { createTestDatabase, onServer, quoteName, type TestDatabase, withClient } from '../support/postgres.ts';
import { startService } from '../support/service.ts';

const LISTS = `query($after: String, $before: String) {
  tenant { id slug timeZone }
  accounts(first: 5, after: $after, orderBy: { field: UPDATED_AT }) {
    totalCount pageInfo { endCursor } nodes { id balance createdAt updatedAt transactions(first: 2) { nodes { bookedAt amount } } }
  }
  transactions(last: 3, before: $before, filter: { bookedFrom: "2026-01-15T11:30:00Z", minAmount: "0.01" }) {
    totalCount pageInfo { startCursor } nodes { id bookedAt amount balanceAfter category }
  }
}`;
const REPORTS = `{
  dashboard(date: "2026-02-20") { date overview { balances { amount currency } totalAccounts } activity(days: 5) {
    series { date flows { currency inflow outflow net } } } recentTransactions { id bookedAt } }
  statistics(period: MONTHLY, from: "2026-01-10", to: "2026-03-05") { from to buckets { start end flows { currency net } }
    byCategory { category flows { currency inflow } } totals { currency transactionCount } }
}`;

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  const sizes = { tenants: 1, accounts: 40, transactions: 400 };
  const period = { until: '2026-03-31', days: 90 };
  await withClient(database.url, (client) =>
    seedDatabase({ client, tenants: planTenants(sizes, 7, 'acme'), period, append: false }),
  );
});
afterAll(() => database?.drop());

describe('a database whose defaults write values in another way', () => {
  it('gives the same answers through the service', async () => {
    const before = await answers();
    expect(await withHostile(answers)).toEqual(before);
    expect(JSON.stringify(before)).not.toContain('errors');
  }, 120_000);

  it('gives the same rows through Prisma', async () => {
    const before = await rowsByPrisma();
    expect(await withHostile(rowsByPrisma)).toEqual(before);
    expect(before).toHaveLength(3);
  });

  it('gives the same to commands about indexes and queries', async () => {
    const before = await commands();
    expect(await withHostile(commands)).toEqual(before);
  }, 120_000);

  it('is imported into as any other', async () => {
    const contents: unknown[] = [];
    for (const isHostile of [false, true]) {
      const own = await createTestDatabase();
      if (isHostile) await alter(own, settingsOf('SET'));
      const command = await openCommandDatabase({ command: 'import', url: own.url });
      const folder = makeFolder(TWO_TENANTS);
      const rejectsPath = path.join(folder, 'rejects.csv');
      const { tables } = await importFolder({ client: command.client, folder, rejectsPath });
      await command.close();
      await alter(own, ['RESET ALL']);
      contents.push([tables, await withClient(own.url, (client) => client.query(CONTENT).then(({ rows }) => rows))]);
      await own.drop();
    }
    expect(contents[1]).toEqual(contents[0]);
  });
});

const CONTENT = `
  SELECT slug, account_number, balance::text, extract(epoch FROM a.created_at)::text AS created,
    (SELECT json_agg(json_build_array(amount::text, extract(epoch FROM booked_at)) ORDER BY amount) FROM transactions t
     WHERE t.tenant_id = a.tenant_id AND t.account_id = a.id) AS transactions,
    (SELECT json_agg(json_build_array(to_char(day, 'YYYY-MM-DD'), inflow::text, outflow::text) ORDER BY day, category) FROM daily_totals d
     WHERE d.tenant_id = a.tenant_id) AS days
  FROM bank_accounts a JOIN tenants ON tenants.id = tenant_id ORDER BY slug`;

/**
 * Two pages of lists, back and forth by their cursors, and what the dashboard and statistics say.
 */
async function answers(): Promise<unknown> {
  const service = await startService({ database, env: { CACHE: 'off' } });
  try {
    const token = await service.token(Role.VIEWER, 'acme-001');
    const first = await service.send(token, LISTS);
    const after = first.data.accounts.pageInfo.endCursor;
    const before = first.data.transactions.pageInfo.startCursor;
    const second = await service.send(token, LISTS, { after, before });
    const reports = await service.send(token, REPORTS);
    return [first, second, reports].map(({ data, errors }) => (errors ? { errors } : data));
  } finally {
    await service.close();
  }
}

async function rowsByPrisma(): Promise<unknown> {
  const { url } = database;
  const own = new TenantDatabase({ url, poolSize: 1, statementTimeoutMs: 10_000, takeServiceRole: true });
  try {
    const scope = TenantScope.ofOperatorCommand(await tenantId());
    return await own.prisma(scope, async (prisma) => [
      await prisma.bankAccount.findMany({ orderBy: { id: 'asc' }, take: 3 }),
      await prisma.transaction.findMany({ orderBy: { id: 'asc' }, take: 3 }),
      await prisma.dailyTotal.findMany({
        orderBy: [{ day: 'asc' }, { category: 'asc' }, { currency: 'asc' }],
        take: 3,
      }),
    ]);
  } finally {
    await own.close();
  }
}

async function commands(): Promise<unknown> {
  const { client, close } = await openCommandDatabase({ command: 'a test', url: database.url });
  try {
    const explained = await explainQueries(client);
    return {
      samples: await sampleTenants(client),
      indexes: await readIndexes(client, tablesOf(MODELS)),
      faults: explained.filter(isFaulty),
      queries: explained.length,
    };
  } finally {
    await close();
  }
}

async function tenantId(): Promise<string> {
  const { rows } = await withClient(database.url, (client) => client.query<{ id: string }>('SELECT id FROM tenants'));
  return rows[0]?.id ?? '';
}

async function withHostile<Result>(work: () => Promise<Result>): Promise<Result> {
  await alter(database, settingsOf('SET'));
  try {
    return await work();
  } finally {
    await alter(database, ['RESET ALL']);
  }
}

function settingsOf(verb: string): string[] {
  return Object.entries(HOSTILE).map(([name, value]) => `${verb} ${name} = '${value}'`);
}

async function alter({ name }: TestDatabase, changes: readonly string[]): Promise<void> {
  for (const change of changes) await onServer(`ALTER DATABASE ${quoteName(name)} ${change}`);
}
