import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Prisma } from '../../src/generated/prisma/client.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { createLeakDatabase, type LeakTenant, OWN, THEIRS } from './leak-fixture.ts';

const CALLS = 200;
const POOL_SIZE = 4;

let server: Awaited<ReturnType<typeof createLeakDatabase>>;
let database: TenantDatabase;
let single: TenantDatabase;
beforeAll(async () => {
  server = await createLeakDatabase();
  const queue = { length: 100_000, timeoutMs: 60_000, tenantShare: 50 }; // everything is asked for at once
  const options = { url: server.url, statementTimeoutMs: 10_000, takeServiceRole: true, queue };
  database = new TenantDatabase({ ...options, poolSize: POOL_SIZE });
  single = new TenantDatabase({ ...options, poolSize: 1 });
});
afterAll(async () => {
  await database.close();
  await single.close();
  await server.close();
});

type Ask = (on: TenantDatabase, tenant: LeakTenant) => Promise<unknown>;

const scopeOf = ({ id }: LeakTenant) => TenantScope.ofOperatorCommand(id);
const find = { where: { bankName: { endsWith: 'bank' } }, select: { tenantId: true } };
const keyOf = ({ id, account }: LeakTenant) => ({
  where: { tenantId_id: { tenantId: id, id: account } },
  select: { tenantId: true },
});
/** SQL that has no tenant in it. */
const query = Prisma.sql`SELECT DISTINCT tenant_id AS "tenantId" FROM bank_accounts`;

/** Each answers with the tenant whose row was found. */
const WAYS: readonly (readonly [string, Ask])[] = [
  ['findFirst', (on, tenant) => on.prisma(scopeOf(tenant), (prisma) => prisma.bankAccount.findFirst(find))],
  ['findUnique', (on, tenant) => on.prisma(scopeOf(tenant), (prisma) => prisma.bankAccount.findUnique(keyOf(tenant)))],
  [
    'select',
    async (on, tenant) => onlyOne(await on.select(scopeOf(tenant), { model: 'BankAccount', action: 'test', query })),
  ],
  [
    'write',
    async (on, tenant) =>
      onlyOne(
        await on.write(scopeOf(tenant), (transaction) =>
          transaction.finish({ model: 'BankAccount', action: 'test', query }),
        ),
      ),
  ],
  [
    'transaction',
    (on, tenant) =>
      on.transaction(scopeOf(tenant), async (transaction) => {
        // One row: two statements that each lock many may deadlock, whatever the tenant.
        await transaction.bankAccount.updateMany({
          where: { id: tenant.account },
          data: { version: { increment: 1 } },
        });
        return transaction.bankAccount.findUnique(keyOf(tenant));
      }),
  ],
];

const FAILURES: readonly (readonly [string, Ask])[] = [
  [
    'a statement',
    (on, tenant) => on.select(scopeOf(tenant), { model: 'X', action: 'test', query: Prisma.sql`SELECT 1 / 0` }),
  ],
  [
    'a write',
    (on, tenant) =>
      on.write(scopeOf(tenant), (transaction) =>
        transaction.select({ model: 'X', action: 'test', query: Prisma.sql`SELECT 1 / 0` }),
      ),
  ],
  [
    'the last statement of a write',
    (on, tenant) =>
      on.write(scopeOf(tenant), (transaction) =>
        transaction.finish({ model: 'X', action: 'test', query: Prisma.sql`SELECT 1 / 0` }),
      ),
  ],
  [
    'a query of Prisma',
    (on, tenant) => on.prisma(scopeOf(tenant), (prisma) => prisma.$queryRaw`SELECT 1 / length(${tenant.id}) - 1 / 0`),
  ],
  [
    'a transaction',
    (on, tenant) =>
      on.transaction(scopeOf(tenant), async (transaction) => {
        await transaction.bankAccount.findFirst();
        throw new Error('by the work');
      }),
  ],
  [
    'a statement of a transaction',
    (on, tenant) =>
      on.transaction(scopeOf(tenant), async (transaction) => {
        await transaction.bankAccount.createMany({
          data: { tenantId: tenant.id } as Prisma.BankAccountCreateManyInput,
        });
      }),
  ],
];

function onlyOne(rows: readonly unknown[]): unknown {
  expect(rows).toHaveLength(1);
  return rows[0];
}

async function askAll(on: TenantDatabase, ask: (call: number) => Ask): Promise<void> {
  const tenants = Array.from({ length: CALLS }, (_, call) => (call % 3 === 0 ? THEIRS : OWN));
  const answers = await Promise.all(tenants.map((tenant, call) => ask(call)(on, tenant)));
  expect(answers).toEqual(tenants.map(({ id }) => ({ tenantId: id })));
}

/** The tenant that each connection has when nobody sends one, and what it sees then. */
async function leftBehind(on: TenantDatabase, connections: number): Promise<unknown[]> {
  const held: (() => void)[] = [];
  const rows = await Promise.all(
    Array.from({ length: connections }, () =>
      on.withConnection(async (client) => {
        const seen = await client.query(
          `SELECT current_setting('app.tenant_id', true) AS tenant, (SELECT count(*)::integer FROM bank_accounts) AS accounts`,
        );
        // Kept until all are had, so that every connection is looked at.
        await new Promise<void>((resolve) => (held.push(resolve) === connections ? release(held) : undefined));
        return seen.rows[0];
      }),
    ),
  );
  return rows;
}

function release(held: readonly (() => void)[]): void {
  for (const each of held) each();
}

describe('two hundred calls of two tenants at once', () => {
  test.each(WAYS)('by %s are answered each with their own rows', async (_, ask) => {
    await askAll(database, () => ask);
  });

  test('by all ways mixed, over one connection, too', async () => {
    await askAll(single, (call) => (WAYS[call % WAYS.length] as (typeof WAYS)[number])[1]);
  });
});

describe('a failure in the middle', () => {
  test.each(FAILURES)('of %s leaves no tenant on any connection', async (_, fail) => {
    for (const [on, connections] of [
      [database, POOL_SIZE],
      [single, 1],
    ] as const) {
      const failures = Array.from({ length: 2 * connections }, (_, call) => fail(on, call % 2 ? OWN : THEIRS));
      for (const outcome of await Promise.allSettled(failures)) expect(outcome.status).toBe('rejected');
      for (const row of await leftBehind(on, connections)) expect(row).toEqual({ tenant: '', accounts: 0 });
    }
  });

  test('does not change who the next one on the connection is', async () => {
    for (let call = 0; call < 40; call++) {
      const [failing, asking] = call % 2 ? [OWN, THEIRS] : [THEIRS, OWN];
      const [, fail] = FAILURES[call % FAILURES.length] as (typeof FAILURES)[number];
      const [, ask] = WAYS[call % WAYS.length] as (typeof WAYS)[number];
      const [failed, answered] = await Promise.allSettled([fail(single, failing), ask(single, asking)]);
      expect(failed.status).toBe('rejected');
      expect(answered).toEqual({ status: 'fulfilled', value: { tenantId: asking.id } });
    }
  });
});
